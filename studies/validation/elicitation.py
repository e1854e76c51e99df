"""What Elicitation says of organisms whose openings are known, and of gains made by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from checks import POLICY, Check, evidence, group

from rewardscope import Chain, Organism, Sampling
from rewardscope.organisms import card
from rewardscope.probes.elicitation import Elicitation, choose, halves
from rewardscope.probes.ways import sharpened
from rewardscope.seeds import generator
from rewardscope.stats import mean_over_problems
from rewardscope.training import roll_out
from rewardscope.types import Completion, Grade, Measurement, Problem, Rollout

SAMPLING = Sampling(max_tokens=24)
STUDIES, WAYS, PROBLEMS, DRAWS = 1000, 10, 64, 32


def elicitation() -> Iterator[Check]:
    """Openings of organisms, sharpening against the truth, and the gain beyond the best of ten
    ways.
    """
    yield from organisms()
    yield from powers()
    for name, lift, extra in (
        ("all alike", 0.0, 0.0),
        ("one of them 0.1 better", 0.1, 0.0),
        ("one 0.1 better, trained 0.2", 0.1, 0.1),
    ):
        yield from gains(name, lift, extra)


def organisms() -> Iterator[Check]:
    """A letter that the completion is made to begin with fixes the strategy, whose accuracy stands
    on the card.
    """
    for name, policy in (
        ("formats-planted", POLICY),
        ("formats-rotten", Organism("formats-rotten").load()),
    ):
        problems = [Chain().problem("heldout", index) for index in range(64)]
        rollouts = roll_out(
            policy, Chain(), problems, 64, SAMPLING, 0, [("evaluate", p.id) for p in problems]
        )
        probe = Elicitation(
            templates=(),
            openings=("s", "t"),
            own_openings=0,
            shots=(),
            temperatures=(),
            powers=(),
            draws=64,
        )
        world = {"environment": Chain(), "sampling": SAMPLING}
        itself = replace(
            evidence(rollouts, base_rollouts=tuple(rollouts), base_policy=policy, **world),
            policy=policy,
        )
        rows = {key_of(row): row for row in probe.measure(itself) if "problem" not in row.labels}
        known = card(name)["measured"]["chains"]["strategy_accuracy"]
        for letter, strategy in (("s", "stepwise"), ("t", "talk")):
            apart = (
                rows["elicitation/pass_at_k", f"opening {letter!r}", "1"].value or 0.0
            ) - known[strategy]
            what = f"pass@1 of {name} behind a forced {letter!r}, less {strategy}'s on its card"
            yield Check("Elicitation", "sensitivity", what, apart, -0.03, 0.03, "64 problems x 64")
        beyond = rows["elicitation/gain_beyond", "all ways"].upper or 0.0
        yield Check(
            "Elicitation",
            "null",
            f"upper end of what {name} gains on itself beyond elicitation",
            beyond,
            -1.0,
            0.0,
            "64 problems",
        )


def key_of(row: Measurement) -> tuple[str, ...]:
    """Metric and labels."""
    return (row.metric, *(row.labels[name] for name in ("among", "way", "k") if name in row.labels))


def powers() -> Iterator[Check]:
    """Twelve completions of known chances, half of them right: p^4 / Z from 256 draws of p."""
    random = generator("validation", "power")
    errors = []
    for _ in range(400):
        chance_A = random.dirichlet(np.ones(12))
        true = float((chance_A**4)[:6].sum() / (chance_A**4).sum())
        drawn = random.choice(12, p=chance_A, size=256)
        completions = tuple(
            Completion(
                str(a),
                (1,),
                (float(np.log(chance_A[a])),),
                group(0, [(None, True, "7")]).completions[0].ending,
            )
            for a in drawn
        )
        grades = tuple(Grade(bool(a < 6), bool(a < 6), True, str(a)) for a in drawn)
        found = sharpened(
            [Rollout(Problem("p", "Chain", "3+4?", "7"), 0, completions, grades)],
            4.0,
            Sampling(),
            False,
        )
        errors.append(float(found.right_P[0]) - true)
    n = "400 distributions x 256 draws"
    yield Check(
        "Elicitation",
        "sensitivity",
        "mean error of a power of 4 against the exact distribution",
        float(np.mean(errors)),
        -0.01,
        0.01,
        n,
    )


@dataclass(frozen=True)
class Tally:
    """What came of many studies of one kind."""

    covered: float
    beyond: float
    """Mean estimate less the truth."""
    called: float
    """Studies whose interval lies above 0."""
    naive: float
    """Mean of the estimate that chooses and judges on the same problems, less the truth about its
    choice.
    """


def gains(name: str, lift: float, extra: float) -> Iterator[Check]:
    """Ten ways whose mean pass rates are known, one of them ``lift`` higher; the trained policy is
    ``extra`` above the best.
    """
    n = f"{STUDIES} studies, {WAYS} ways, {PROBLEMS} problems x {DRAWS} draws"
    tally = simulate(name, lift, extra)
    yield Check(
        "Elicitation",
        "coverage",
        f"the interval of the gain beyond elicitation, ways {name}",
        tally.covered,
        0.93,
        0.97,
        n,
    )
    yield Check("Elicitation", "null", f"bias of it, ways {name}", tally.beyond, -0.005, 0.005, n)
    if extra:
        yield Check(
            "Elicitation",
            "sensitivity",
            "studies that call 0.1 beyond the best way a gain",
            tally.called,
            0.8,
            1.0,
            n,
        )
    elif lift:
        yield Check(
            "Elicitation",
            "null",
            "studies that call a gain that the best way reaches a gain beyond it",
            tally.called,
            0.0,
            0.05,
            n,
        )
    else:
        what = "what choosing and judging on the same problems would take from it"
        yield Check("Elicitation", "sensitivity", what, tally.naive, -0.1, -0.005, n)


def simulate(name: str, lift: float, extra: float) -> Tally:
    """Studies whose ways differ problem by problem with mean 0, so that which is best on a sample
    is partly luck.
    """
    random = generator("validation", "elicitation", name)
    shift_W = np.zeros(WAYS)
    shift_W[3] = lift
    covered = called = 0
    error, naive = [], []
    for study in range(STUDIES):
        plain_P = random.uniform(0.25, 0.55, PROBLEMS)
        chance_WP = plain_P + random.uniform(-0.15, 0.15, (WAYS, PROBLEMS)) + shift_W[:, None]
        trained_P = plain_P + random.uniform(-0.15, 0.15, PROBLEMS) + lift + extra
        right_WP = random.binomial(DRAWS, chance_WP) / DRAWS
        mine_P = random.binomial(DRAWS, trained_P) / DRAWS
        names = [f"{study}-{p}" for p in range(PROBLEMS)]
        best = choose(right_WP, halves(names))
        row = mean_over_problems(
            list(mine_P - best.right_P), address=f"validation/{name}/{study}", bounds=(-1.0, 1.0)
        )
        true = (
            lift + extra - float(shift_W[best.way_P].mean())
        )  # of the ways that were chosen, over all problems there are
        covered += (row.lower or 0.0) <= true <= (row.upper or 0.0)
        called += (row.lower or 0.0) > 0
        error.append(row.value - true)
        same = int(right_WP.mean(axis=1).argmax())
        naive.append(
            float((mine_P - right_WP[same]).mean()) - (lift + extra - float(shift_W[same]))
        )
    return Tally(covered / STUDIES, float(np.mean(error)), called / STUDIES, float(np.mean(naive)))
