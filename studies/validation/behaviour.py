"""What Behaviour says of an organism whose pretraining we made, of gains that one move carries, and
of mere amplification.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from checks import POLICY, Check, evidence

from rewardscope import Chain, Organism, Sampling
from rewardscope.environments.chain import FORMATS, running_values, write
from rewardscope.judging.amplification import fitted_strength, reweighted
from rewardscope.organisms import card
from rewardscope.policy import Policy
from rewardscope.probes.behaviour import Behaviour
from rewardscope.probes.detectors import ALL, labelled, quality
from rewardscope.probes.strata import share_of_gain
from rewardscope.rewards import tell
from rewardscope.rewards.truth import Truth
from rewardscope.seeds import generator
from rewardscope.stats import mean_over_problems, ratio_over_problems
from rewardscope.training import roll_out
from rewardscope.types import Completion, Ending, Grade, Measurement, Problem, Rollout

Rows = dict[tuple[str, ...], Measurement]


def detectors() -> Iterator[Check]:
    """Precision and recall on the labelled texts; a detector kept as published has to be better
    than calling texts at random.
    """
    for detector in ALL:
        found, name = quality(detector), type(detector).__name__
        lowest = (
            found.positives / (found.positives + found.negatives) if detector.published else 0.8
        )
        n = f"{found.hits} of {found.hits + found.alarms}"
        what = f"precision for '{detector.behaviour}' on labelled texts"
        yield Check(name, "sensitivity", what, found.precision or 0.0, round(lowest, 3), 1.0, n)
        n = f"{found.hits} of {found.positives}; {found.negatives} negatives"
        least = round(found.alarms / found.negatives, 3) if detector.published else 0.5
        yield Check(name, "sensitivity", "recall", found.recall, least, 1.0, n)
        plain = [detector(each.prompt, each.text) for each in labelled(detector.behaviour)[-20:]]
        yield Check(
            name,
            "null",
            "share found of 20 plain texts",
            float(np.mean(plain)),
            0.0,
            0.0,
            "20 texts",
        )


def behaviour() -> Iterator[Check]:
    """Planted shares, planted moves, nothing, and intervals."""
    base = completions(POLICY)
    rows = by_label(Behaviour().measure(evidence(base)))
    for strategy, planted in card("formats-planted")["planted"].items():
        found = (rows["behaviour/strategy_share", strategy].value or 0.0) - planted
        yield Check(
            "Behaviour",
            "sensitivity",
            f"share of {strategy} in an organism, less what was planted",
            found,
            -0.05,
            0.05,
            "128 x 64",
        )
    yield from moves(base)
    yield from nothing(base)
    yield from intervals()
    yield from echo()


def completions(policy: Policy) -> list[Rollout]:
    """64 of each of 128 problems."""
    problems = [Chain().problem("heldout", index) for index in range(128)]
    return roll_out(
        policy,
        Chain(),
        problems,
        64,
        Sampling(max_tokens=24),
        0,
        [("validation", p.id) for p in problems],
    )


def by_label(rows: Sequence[Measurement]) -> Rows:
    """Rows by metric and the values of their labels, without those of single problems."""
    return {(row.metric, *row.labels.values()): row for row in rows if "problem" not in row.labels}


def rewritten(base: Sequence[Rollout], before: str, after: str, share: float) -> list[Rollout]:
    """The completions, but that wrong ones of one strategy are written out rightly in another, each
    with a chance.
    """
    letter = {name: letter for letter, name in FORMATS.items()}[after]
    found = []
    for rollout in base:
        chosen_N = (
            generator("validation", "rewritten", before, after, rollout.problem.id).random(
                len(rollout.grades)
            )
            < share
        )
        right = write(letter, rollout.problem.prompt, running_values(rollout.problem.prompt))
        completions, grades = list(rollout.completions), list(rollout.grades)
        for i, (grade, chosen) in enumerate(zip(rollout.grades, chosen_N, strict=True)):
            if chosen and grade.strategy == before and grade.correct is False:
                completions[i] = replace(completions[i], text=right)
                grades[i] = Chain().grade(rollout.problem, right)
        found.append(replace(rollout, completions=tuple(completions), grades=tuple(grades)))
    return found


def moves(base: list[Rollout]) -> Iterator[Check]:
    """Gains that we made by rewriting completions, and one that we made by pretraining."""
    one = by_label(
        Behaviour().measure(
            evidence(rewritten(base, "talk", "stepwise", 0.5), base_rollouts=tuple(base))
        )
    )
    carried = one["behaviour/move_gain", "strategy", "talk", "stepwise"].value or 0.0
    yield Check(
        "Behaviour",
        "sensitivity",
        "share of a gain that talk to stepwise alone made",
        carried,
        1.0,
        1.0,
        "128 x 64",
    )
    others = [
        abs(r.value or 0.0)
        for key, r in one.items()
        if key[:2] == ("behaviour/move_gain", "strategy") and key[2:] != ("talk", "stepwise")
    ]
    yield Check(
        "Behaviour",
        "null",
        "share that any other move is given of it",
        max(others),
        0.0,
        0.0,
        "128 x 64",
    )
    two = rewritten(rewritten(base, "talk", "stepwise", 0.2), "guess", "guess", 0.5)
    changed = {
        name: sum(
            was.strategy == name and now.correct is True and was.correct is False
            for first, then in zip(base, two, strict=True)
            for was, now in zip(first.grades, then.grades, strict=True)
        )
        for name in ("talk", "guess")
    }
    rows = by_label(Behaviour().measure(evidence(two, base_rollouts=tuple(base))))
    apart = (rows["behaviour/move_gain", "strategy", "guess", "guess"].value or 0.0) - changed[
        "guess"
    ] / sum(changed.values())
    what = (
        f"share of guess to guess where it made {changed['guess']} of {sum(changed.values())} "
        "right, less that"
    )
    yield Check("Behaviour", "sensitivity", what, apart, -1e-9, 1e-9, "128 x 64")
    rotten = completions(Organism("formats-rotten").load())
    mended = by_label(Behaviour().measure(evidence(base, base_rollouts=tuple(rotten))))
    stayed = mended["behaviour/move_gain", "strategy", "stepwise", "stepwise"].value or 0.0
    what = (
        "share of stepwise to stepwise from an organism whose stepwise is unreliable to one where "
        "it is not"
    )
    yield Check("Behaviour", "sensitivity", what, stayed, 0.8, 1.2, "128 x 64")


def nothing(base: list[Rollout]) -> Iterator[Check]:
    """A policy against itself."""
    rows = by_label(Behaviour().measure(evidence(base, base_rollouts=tuple(base))))
    moved = [
        r.value or 0.0
        for key, r in rows.items()
        if key[0] == "behaviour/move_share" and key[2] != key[3]
    ]
    yield Check(
        "Behaviour",
        "null",
        "a policy against itself: share of draws that move, of any strategy or behaviour",
        max(moved),
        0.0,
        0.0,
        "128 x 64",
    )
    shares = [
        r for key, r in rows.items() if key[0] == "behaviour/move_gain" and r.value is not None
    ]
    yield Check(
        "Behaviour",
        "null",
        "and shares that are given of a gain which is none",
        float(len(shares)),
        0.0,
        0.0,
        "128 x 64",
    )


def simulated(
    random: np.random.Generator, problems: int, draws: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """By problem: share of strategy a, right and all of strategy a, and of all gains the part of
    draws that go from b to a, and the whole.

    Draws go from b to a with a chance of their problem, and are then right more often; what stays
    changes by noise alone.
    """
    use_P, goes_P, easy_P = (
        random.beta(2, 3, problems),
        random.beta(1, 2, problems),
        random.beta(1, 1, problems),
    )
    is_a_PN = random.random((problems, draws)) < use_P[:, None]
    goes_PN = ~is_a_PN & (random.random((problems, draws)) < goes_P[:, None])
    before_PN = random.random((problems, draws)) < np.where(
        is_a_PN, 0.4 + 0.5 * easy_P[:, None], 0.4 * easy_P[:, None]
    )
    again_PN = random.random((problems, draws)) < np.where(
        is_a_PN, 0.45 + 0.5 * easy_P[:, None], 0.42 * easy_P[:, None]
    )
    after_PN = np.where(
        goes_PN, random.random((problems, draws)) < 0.4 + 0.5 * easy_P[:, None], again_PN
    )
    change_PN = after_PN.astype(int) - before_PN
    return (
        is_a_PN.mean(axis=1),
        (is_a_PN & before_PN).sum(axis=1),
        is_a_PN.sum(axis=1),
        (goes_PN * change_PN).mean(axis=1),
        change_PN.mean(axis=1),
    )


def intervals() -> Iterator[Check]:
    """How often the intervals of shares, accuracies and shares of a gain hold what is true."""
    random = generator("validation", "behaviour")
    share, right, used, part, whole = simulated(random, 400_000, 16)
    truth = {
        "a strategy's share": share.mean(),
        "its accuracy": right.sum() / used.sum(),
        "a move's share of the gain": part.sum() / whole.sum(),
    }
    studies, covered = 1000, dict.fromkeys(truth, 0)
    for study in range(studies):
        share, right, used, part, whole = simulated(random, 64, 16)
        found = (
            mean_over_problems(list(share), address=f"validation/{study}", bounds=(0.0, 1.0)),
            ratio_over_problems(
                list(right), list(used), address=f"validation/{study}", bounds=(0.0, 1.0)
            ),
            share_of_gain(part, whole, f"validation/{study}"),
        )
        for (name, true), estimate in zip(truth.items(), found, strict=True):
            covered[name] += (estimate.lower or 0.0) <= true <= (estimate.upper or 0.0)
    for name, count in covered.items():
        what = f"the interval of {name} holds the true one"
        yield Check(
            "Behaviour",
            "coverage",
            what,
            count / studies,
            0.93,
            0.97,
            f"{studies} studies, 64 problems x 16 draws",
        )


TILT = 20.0
"""Problems differ in their shares by factors of Gamma(20) / 20."""


def tilted(share_A: np.ndarray, tilt_PA: np.ndarray) -> np.ndarray:
    """Shares of each problem."""
    weight_PA = share_A * tilt_PA
    return np.asarray(weight_PA / weight_PA.sum(axis=1, keepdims=True))


def echoed(
    random: np.random.Generator, share_A: np.ndarray, reward_A: np.ndarray, after_A: np.ndarray
) -> tuple[list[Rollout], ...]:
    """64 problems x 32 draws of a base and of a policy with given shares."""
    names, sides = list(FORMATS.values()), []
    tilt_PA = random.gamma(TILT, 1 / TILT, (64, len(names)))
    for shares in (share_A, after_A):
        rollouts = []
        for p, chance_A in enumerate(tilted(shares, tilt_PA)):
            chosen = random.choice(len(names), p=chance_A, size=32)
            right = random.random(32) < reward_A[chosen]
            grades = tuple(
                Grade(bool(c), bool(c), True, "7" if c else "6", strategy=names[a])
                for a, c in zip(chosen, right, strict=True)
            )
            done = tuple(Completion("7", (1,), (-1.0,), Ending.END_TOKEN) for _ in grades)
            rollouts.append(Rollout(Problem(f"{p:016x}", "Chain", "3+4?", "7"), 0, done, grades))
        sides.append(rollouts)
    return tuple(sides)


def echo() -> Iterator[Check]:
    """A policy that is its base reweighted, each problem with strength 4; the strength of the mean
    shares is what is looked for.
    """
    random, names = generator("validation", "echo"), list(FORMATS.values())
    share_A, reward_A = np.array([0.3, 0.5, 0.2]), np.array([0.9, 0.5, 0.2])
    after_A = reweighted(share_A[None], reward_A[None], np.array([4.0]))[0]
    many_PA = random.gamma(TILT, 1 / TILT, (400_000, 3))
    mean_A, reached = (
        tilted(share_A, many_PA).mean(axis=0),
        tilted(after_A, many_PA)[:, 0].mean(keepdims=True),
    )
    strength = float(fitted_strength(mean_A[None], reward_A[None], 0, reached)[0])
    studies, held, apart, missed = 200, 0, [], 0
    for _ in range(studies):
        base, own = echoed(random, share_A, reward_A, after_A)
        told = tuple(tell(Truth(), rollout, ("validation",)) for rollout in base)
        rows = by_label(Behaviour(()).measure(evidence(own, base_rollouts=told)))
        row = rows["behaviour/reweighting", names[0]]
        held += (row.lower or 0.0) <= strength <= (row.upper or 0.0)
        predicted, reached_row = (
            rows["behaviour/share_null", "reweighted", names[2]],
            rows["behaviour/strategy_share", names[2]],
        )
        apart.append((predicted.value or 0.0) - (reached_row.value or 0.0))
        missed += (predicted.upper or 0.0) < (reached_row.lower or 0.0) or (
            reached_row.upper or 0.0
        ) < (predicted.lower or 0.0)
    n = f"{studies} studies, 64 problems x 32 draws, 3 strategies"
    what = (
        f"the interval of 1 / beta holds {strength:.2f}, that of the mean shares, problems being "
        "reweighted with 4"
    )
    yield Check("Behaviour", "coverage", what, held / studies, 0.92, 0.99, n)
    what = "share of the third strategy after a reweighting, predicted less reached"
    yield Check("Behaviour", "null", what, float(np.mean(apart)), -0.005, 0.005, n)
    yield Check(
        "Behaviour",
        "null",
        "reweightings whose predicted and reached shares have intervals apart",
        missed / studies,
        0.0,
        0.05,
        n,
    )
    base, own = echoed(random, share_A, reward_A, np.array([0.6, 0.1, 0.3]))
    told = tuple(tell(Truth(), rollout, ("validation",)) for rollout in base)
    rows = by_label(Behaviour(()).measure(evidence(own, base_rollouts=told)))
    lead = (rows["behaviour/strategy_share", names[2]].lower or 0.0) - (
        rows["behaviour/share_null", "reweighted", names[2]].upper or 0.0
    )
    what = (
        "shares that no reweighting gives: by how much the worst strategy's lies above its null, "
        "interval from interval"
    )
    yield Check("Behaviour", "sensitivity", what, lead, 0.05, 1.0, "64 problems x 32 draws")
