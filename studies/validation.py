"""Proof of the instruments: each is pointed at what is known by construction, and its figures go into ``probes/validation.json``.

    make validation         (about 4 minutes on 2 cores)

Sensitivity: it finds what was planted. Null: it finds nothing where nothing is. Coverage: its 95 % intervals hold the truth as often as
they say. What does not hold is written down like the rest, and `rewardscope instruments` shows it.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

import rewardscope.probes
from rewardscope import Chain, Claim, Organism, Sampling
from rewardscope.organisms import card
from rewardscope.probes import Behaviour, Boundary, Calibration, Diversity, Losses, Subject
from rewardscope.probes.agreement import agreements
from rewardscope.probes.weight_change import change_of
from rewardscope.report.claims import decide
from rewardscope.seeds import generator
from rewardscope.stats import curve_over_problems, paired_contrast, pass_at_ks
from rewardscope.training import roll_out
from rewardscope.types import Completion, Ending, Grade, Outcome, Problem, Rollout

TARGET = Path(rewardscope.probes.__file__).parent / "validation.json"
KS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
POLICY = Organism("formats-planted").load()
PROBLEM = Problem("", "Chain", "3+4?", "7")


@dataclass(frozen=True)
class Check:
    """One figure that is known beforehand."""

    instrument: str
    kind: str
    """sensitivity, null or coverage."""
    what: str
    found: float
    lowest: float
    highest: float
    n: str

    @property
    def held(self) -> bool:
        """Whether it came out as it had to."""
        return bool(self.lowest <= self.found <= self.highest)


def group(name: int, pairs: list[tuple[float | None, bool, str]]) -> Rollout:
    """A problem's draws as (confidence, correct, answer)."""
    grades = tuple(Grade(c, c, True, answer, confidence=q) for q, c, answer in pairs)
    completions = tuple(Completion(answer, (1,), (-1.0,), Ending.END_TOKEN) for _, _, answer in pairs)
    return Rollout(replace(PROBLEM, id=f"{name:016x}"), 0, completions, grades)


def subject(rollouts: list[Rollout], **more: object) -> Subject:
    """The rollouts as some policy's."""
    return Subject("validation", "arm", 0, 1, tuple(rollouts), POLICY, Chain.strategies, (), **more)  # type: ignore[arg-type]


def boundary() -> Iterator[Check]:
    """The band of the difference, pass@k against known chances, and a policy against itself."""
    random = generator("validation", "boundary")
    many = random.beta(0.4, 1.2, 400_000)
    truth_K = np.array([np.mean((1 - (1 - np.clip(1.5 * many, 0, 1)) ** k) - (1 - (1 - many) ** k)) for k in KS])
    studies, whole, points = 1500, 0, 0.0
    for study in range(studies):
        base_P = random.beta(0.4, 1.2, 64)
        sides = [pass_at_ks(np.full(64, 256), random.binomial(256, p), KS) for p in (np.clip(1.5 * base_P, 0, 1), base_P)]
        band = curve_over_problems(sides[0] - sides[1], address=f"validation/{study}", bounds=(-1.0, 1.0))
        inside = [(at.lower or 0) <= true <= (at.upper or 0) for at, true in zip(band, truth_K, strict=True)]
        whole, points = whole + all(inside), points + float(np.mean(inside))
    n = f"{studies} studies, 64 problems x 256 draws, 9 k"
    yield Check("Boundary", "coverage", "the band of the difference holds the whole true curve", whole / studies, 0.93, 0.97, n)
    yield Check("Boundary", "coverage", "and each point of it alone", points / studies, 0.95, 1.0, n)
    chance = random.beta(0.5, 1.0, 200)
    draws = [group(i, [(None, bool(c), "7" if c else "6") for c in random.random(256) < p]) for i, p in enumerate(chance)]
    rows = {(r.metric, r.labels.get("k")): r for r in Boundary().measure(subject(draws)) if "problem" not in r.labels}
    worst = max(abs((rows["boundary/pass_at_k", str(k)].value or 0) - float((1 - (1 - chance) ** k).mean())) for k in KS)
    yield Check(
        "Boundary", "sensitivity", "largest error of pass@k over nine k against known chances", worst, 0.0, 0.02, "200 problems x 256"
    )
    same = {r.metric: r.value for r in Boundary().measure(subject(draws, base_rollouts=tuple(draws), base_policy=POLICY))}
    apart = max(abs(same[f"boundary/{name}"] or 0) for name in ("difference", "discovery", "support_change", "crossing_share"))
    yield Check("Boundary", "null", "a policy against itself: difference, discovery, change, crossing", apart, 0.0, 0.0, "200 problems")


def verdicts() -> Iterator[Check]:
    """How often two equal arms come out as different."""
    random = generator("validation", "verdicts")
    claim = Claim(sentence="A raises it more than B.", metric="boundary/pass_at_k", treatment="a", control="b", labels={"k": "1"})
    studies, supported = 400, 0
    for study in range(studies):
        problem_P = random.beta(0.5, 0.5, 64)
        arm_ASP = (
            random.binomial(64, np.clip(problem_P + random.normal(0, 0.05, (2, 3, 1)) + random.normal(0, 0.05, (2, 3, 64)), 0, 1)) / 64
        )
        estimate = paired_contrast(arm_ASP[0] - arm_ASP[1], address=f"validation/{study}", bounds=(-1.0, 1.0))
        supported += decide(claim, estimate)[0] is Outcome.SUPPORTED
    n = f"{studies} A/A comparisons, 3 seeds x 64 problems"
    yield Check("Verdicts", "null", "share of A/A comparisons called supported at margin 0", supported / studies, 0.0, 0.05, n)


def diversity() -> Iterator[Check]:
    """Rarefied counts and the entropy of a die."""
    random = generator("validation", "diversity")
    weight_A = np.array([0.4, 0.3, 0.2, 0.1])
    true = float((1 - (1 - weight_A) ** 16).sum())
    studies, covered = 1000, 0
    for _ in range(studies):
        drawn = random.choice(list("abcd"), p=weight_A, size=(64, 64))
        draws = [group(i, [(None, False, str(a)) for a in row]) for i, row in enumerate(drawn)]
        row = next(r for r in Diversity(16).measure(subject(draws)) if r.metric == "diversity/distinct_answers")
        covered += (row.lower or 0) <= true <= (row.upper or 0)
    n = f"{studies} studies, 64 problems x 64 draws"
    yield Check(
        "Diversity", "coverage", "the interval of distinct answers in 16 draws holds the true number", covered / studies, 0.93, 0.97, n
    )
    die = [group(i, [(None, False, str(a)) for a in random.integers(0, 6, 64)]) for i in range(400)]
    found = {r.metric: r.value for r in Diversity(16).measure(subject(die)) if "problem" not in r.labels}
    yield Check(
        "Diversity",
        "sensitivity",
        "entropy of a fair die, less log 6",
        (found["diversity/answer_entropy"] or 0) - np.log(6),
        -0.01,
        0.01,
        "400 x 64",
    )


def calibration() -> Iterator[Check]:
    """A forecaster who knows the chance, and one who is 0.2 too sure."""
    random = generator("validation", "calibration")
    studies, zero, planted = 500, 0, 0
    for _ in range(studies):
        chance_P = random.uniform(0.1, 0.7, 64)
        drawn = random.random((64, 16)) < chance_P[:, None]
        for extra in (0.0, 0.2):
            rollouts = [
                group(i, [(float(p) + extra, bool(c), "7") for c in cs]) for i, (p, cs) in enumerate(zip(chance_P, drawn, strict=True))
            ]
            rows = {r.metric: r for r in Calibration().measure(subject(rollouts)) if r.labels == {"view": "stated"}}
            if extra:
                row = rows["calibration/overconfidence"]
                planted += (row.lower or 0) <= extra <= (row.upper or 0)
            else:
                zero += rows["calibration/error"].lower == 0.0
    n = f"{studies} studies, 64 problems x 16 draws"
    yield Check(
        "Calibration", "null", "the error's interval of a forecaster who knows the chance begins at 0", zero / studies, 0.93, 1.0, n
    )
    yield Check(
        "Calibration", "coverage", "the interval of overconfidence holds the 0.2 that was planted", planted / studies, 0.93, 0.97, n
    )


def weights(size: int = 512) -> Iterator[Check]:
    """Updates of known rank, density and place, and noise of no place at all."""

    def normal(name: str, *shape: int) -> torch.Tensor:
        return torch.from_numpy(generator("validation", "weights", name).normal(0, 1, shape or (size, size))).float()

    start = (0.02 * normal("start")).bfloat16().float()
    low = change_of("w", start, start + 1e-5 * normal("left", size, 3) @ normal("right", 3, size), ranks=True)
    yield Check(
        "WeightChange",
        "sensitivity",
        "rank of a rank-3 update of entries near 1e-5",
        low.rank_share["float32"] * size,
        3.0,
        3.0,
        f"{size} x {size}",
    )
    mask = torch.from_numpy(generator("validation", "mask").random((size, size)) < 0.12)
    sparse = change_of("w", start, start + 0.01 * mask, ranks=False)
    share = sparse.changed["bfloat16"] / sparse.size - float(mask.float().mean())
    yield Check("WeightChange", "sensitivity", "share of a 12 % dense update, less the truth", share, -0.001, 0.001, f"{size} x {size}")
    nothing = change_of("w", start, start.clone(), ranks=True)
    yield Check("WeightChange", "null", "changed entries of a copy", float(max(nothing.changed.values())), 0.0, 0.0, f"{size} x {size}")

    class Tensors:
        def __init__(self, tensor: torch.Tensor) -> None:
            self.one = tensor

        def names(self) -> list[str]:
            return ["w"]

        def tensor(self, name: str) -> torch.Tensor:
            return self.one

    scale = 4.6e-5  # at which bfloat16 stores about 0.37 of the entries
    (pair,) = agreements(Tensors(start), {n: Tensors(start + scale * normal(n)) for n in ("one", "two")})
    found, null = pair.found.one_sided[0] or 0.0, pair.shuffled.one_sided[0] or 0.0
    density = f"density {pair.found.first / pair.found.size:.2f}, {size} x {size}"
    yield Check(
        "Agreement", "null", "one-sided overlap of independent noise, less that of the shuffled null", found - null, -0.02, 0.02, density
    )
    yield Check("Agreement", "null", "overlap of the largest tenth of independent noise", pair.found.top_share or 0.0, 0.09, 0.11, density)
    place = mask.float()
    (pair,) = agreements(Tensors(start), {n: Tensors(start + 0.01 * place * normal(n)) for n in ("one", "two")})
    above = (pair.found.one_sided[0] or 0.0) - (pair.shuffled.one_sided[0] or 0.0)
    yield Check("Agreement", "sensitivity", "updates planted in one place, one-sided above the null", above, 0.7, 1.0, f"{size} x {size}")


def organisms() -> Iterator[Check]:
    """Shares that pretraining planted, and a policy beside its own copy."""
    problems = [Chain().problem("heldout", index) for index in range(128)]
    rollouts = roll_out(POLICY, Chain(), problems, 64, Sampling(max_tokens=24), 0, [("validation", p.id) for p in problems])
    rows = {(r.metric, r.labels.get("strategy")): r.value for r in Behaviour().measure(subject(rollouts)) if "problem" not in r.labels}
    for strategy, planted in card("formats-planted")["planted_shares"].items():
        found = (rows["behaviour/strategy_share", strategy] or 0.0) - planted
        yield Check(
            "Behaviour", "sensitivity", f"share of {strategy} in an organism, less what was planted", found, -0.05, 0.05, "128 x 64"
        )
    itself = subject(rollouts, base_rollouts=tuple(rollouts), base_policy=POLICY.clone())
    apart = {r.metric: r.value for r in Losses(texts=("3+4*2-9?",)).measure(itself)}
    worst = max(abs(apart[f"losses/{name}"] or 0.0) for name in ("kl_to_base", "kl_from_base", "text_kl"))
    yield Check("Losses", "null", "KL of a policy to its own copy", worst, 0.0, 0.0, "128 problems x 16")


def main() -> None:
    """Runs every check, prints them and writes the file."""
    found = [check for part in (boundary, verdicts, diversity, calibration, weights, organisms) for check in part()]
    for check in found:
        outcome = "held" if check.held else "FAILED"
        sys.stdout.write(
            f"{outcome}: {check.instrument}: {check.what}: {check.found:.4g} ({check.lowest:g} to {check.highest:g}; {check.n})\n"
        )
    records = [{**asdict(check), "found": float(check.found), "held": check.held} for check in found]
    TARGET.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
