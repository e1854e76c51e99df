"""Labels of an arm's training problems by the untrained model's own answers."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rewardscope.errors import RunDirectoryError, StudyError
from rewardscope.policy import LocalSampler, Placement
from rewardscope.seeds import Address
from rewardscope.training import Arm, roll_out
from rewardscope.types import Grade


@dataclass(frozen=True)
class Labelled:
    """What the untrained model's answers say of a problem."""

    problem: str
    """Its id."""
    index: int
    """Of the training split."""
    majority: str | None
    """The answer given most often; of equals, the one given first. None = no answer at all."""
    wrong: str | None
    """The wrong answer given most often. None = none was wrong."""
    draws: int
    answered: int
    """Completions with an answer."""
    correct: int


def labelled(problem: str, index: int, grades: Sequence[Grade]) -> Labelled:
    """The labels of a problem whose completions were graded so."""
    answers = [grade.answer for grade in grades if grade.answer is not None]
    wrong = [g.answer for g in grades if g.answer is not None and g.correct is False]
    return Labelled(
        problem,
        index,
        _commonest(answers),
        _commonest(wrong),
        len(grades),
        len(answers),
        sum(grade.correct is True for grade in grades),
    )


def _commonest(answers: Sequence[str]) -> str | None:
    votes = Counter(answers)  # keeps the order of sampling, and max the first of equals
    return max(votes, key=lambda answer: votes[answer]) if votes else None


def problems_of(arm: Arm, seeds: Sequence[int]) -> list[int]:
    """Indices of all training problems that the arm can meet under these seeds, sorted.

    Raises:
        StudyError: If that depends on what the arm solves.
    """
    size, first = getattr(arm.regime, "size", 0), getattr(arm.regime, "first", 0)
    if size:
        return list(range(first, first + size))
    if arm.regime.uses_truth:
        raise StudyError(
            "Which problems this arm meets depends on what it solves",
            value=f"regime={arm.regime}",
            do="Label the problems of an arm with Pool(...)",
        )
    return sorted(
        {
            index
            for seed in seeds
            for step in range(arm.steps)
            for turn in range(arm.sampling_rounds)
            for index in arm.regime.indices(seed, step, arm.problems_per_step, {}, turn)
        }
    )


def write_labels(
    arm: Arm,
    seeds: Sequence[int],
    draws: int,
    place: Placement,
    file: Path,
    on_problems: Callable[[int, int], None] = lambda done, count: None,
) -> list[Labelled]:
    """The labels of the arm's training problems, which the file holds afterwards, a line each.

    Lines are added as problems are labelled, and a file that was begun is continued.

    Args:
        arm: Its start answers its problems, with its sampling settings.
        seeds: Of the study.
        draws: Completions per problem.
        place: Where the model lives.
        file: The labels.
        on_problems: Called with the numbers of labelled problems and of all.

    Raises:
        RunDirectoryError: If the file holds labels of other problems, or of other draws.
    """
    indices = problems_of(arm, seeds)
    known = _begun(file, indices, draws)
    policy = place.load(arm.start.load)
    sampler = LocalSampler()
    sampler.follow(policy, 0)
    missing = [index for index in indices if index not in {each.index for each in known}]
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        for start in range(0, len(missing), arm.problems_per_step):
            chosen = missing[start : start + arm.problems_per_step]
            problems = [arm.environment.problem("train", index) for index in chosen]
            addresses: list[tuple[Address, ...]] = [("labels", index) for index in chosen]
            groups = roll_out(sampler, arm.environment, problems, draws, arm.sampling, 0, addresses)
            fresh = [
                labelled(group.problem.id, index, group.grades)
                for index, group in zip(chosen, groups, strict=True)
            ]
            lines.writelines(json.dumps(asdict(each)) + "\n" for each in fresh)
            lines.flush()
            known += fresh
            on_problems(len(known), len(indices))
    return known


def _begun(file: Path, indices: Sequence[int], draws: int) -> list[Labelled]:
    """The labels that the file already holds; the last line may have been cut short, and is then
    removed.
    """
    if not file.is_file():
        return []
    whole = file.read_text("utf-8").rpartition("\n")[0]
    try:
        known = [Labelled(**json.loads(line)) for line in whole.splitlines()]
    except (ValueError, TypeError) as error:
        raise RunDirectoryError(
            "This file holds something else than labels",
            value=f"{file}: {error}",
            do="Give another --out",
        ) from error
    if any(each.draws != draws or each.index not in indices for each in known):
        raise RunDirectoryError(
            "This file holds labels of other problems, or of another number of draws",
            value=file,
            allowed=f"{draws} draws of the arm's own problems",
            do="Give another --out",
        )
    file.write_text(whole + "\n" if whole else "", "utf-8")
    return known
