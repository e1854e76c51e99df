"""What every instrument keeps to, whatever it reads."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import save_file

from factories import evidence
from rewardscope import Chain, Sampling
from rewardscope.policy import Policy
from rewardscope.policy.weights import FolderWeights
from rewardscope.probes import Evidence, Probe, measure_all
from rewardscope.probes.base import PSEUDO
from rewardscope.probes.behaviour import Behaviour
from rewardscope.probes.boundary import Boundary
from rewardscope.probes.calibration import Calibration
from rewardscope.probes.diversity import Diversity
from rewardscope.probes.elicitation import Elicitation
from rewardscope.probes.experience import Experience
from rewardscope.probes.ladder import Ladder
from rewardscope.probes.losses import Losses
from rewardscope.probes.novelty import Novelty
from rewardscope.probes.phases import Phases
from rewardscope.probes.weight_change import WeightChange
from rewardscope.registry import components
from rewardscope.seeds import generator
from rewardscope.training import roll_out
from rewardscope.types import Completion, Ending, Grade, Measurement, Problem, Rollout

EXAMPLES: list[Probe] = [
    *(
        Boundary(max_k=4),
        Behaviour(),
        Diversity(k=4),
        Calibration(bins=4),
        Losses(texts=("3+4*2-9?", "1+1?"), draws=2),
        WeightChange(),
    ),
    *(Phases(grams=("s", "t", "g"), plans=4, followers=4), Novelty(), Ladder((1, 4))),
    Elicitation(shots=(2,), powers=(2.0,), draws=4, k=2),
    Experience(),
]
each = pytest.mark.parametrize("probe", EXAMPLES, ids=str)
SIZES = {
    *(
        "share",
        "share difference",
        "problems",
        "tokens",
        "l2",
        "ratio",
        "draws",
        "answers",
        "completions",
        "nats",
        "directions",
    ),
    *("perplexity", "degrees", "reward", "per reward"),
}
BETWEEN = {
    *(
        "boundary/difference",
        "boundary/difference_strict",
        "boundary/crossing_share",
        "boundary/discovery",
        "boundary/support_change",
    ),
    *("losses/kl_to_base", "losses/kl_from_base", "losses/text_kl"),
    *(
        "phases/surprise_change",
        "behaviour/gain",
        "behaviour/move_change",
        "behaviour/move_gain",
        "elicitation/gain",
        "elicitation/gain_best_to_best",
    ),
}
"""Metrics of base and trained policy together that are 0 for two equal ones."""
NEW = ("shrunk", "expanded", "activated", "created", "undecided")
"""Classes of problems that two equal policies have none of."""

CHAIN: dict[str, Any] = {
    "strategies": Chain.strategies,
    "environment": Chain(),
    "sampling": Sampling(max_tokens=24),
}


@pytest.fixture(scope="module")
def rollouts(planted: Policy) -> list[Rollout]:
    problems = [Chain().problem("heldout", index) for index in range(6)]
    return roll_out(
        planted,
        Chain(),
        problems,
        4,
        Sampling(max_tokens=24),
        0,
        [("contract", problem.id) for problem in problems],
    )


@pytest.fixture
def itself(planted: Policy, rollouts: list[Rollout]) -> Evidence:
    """The base, as if it had been trained and nothing had come of it."""
    return evidence(
        planted, rollouts, **CHAIN, base_rollouts=tuple(rollouts), base_policy=planted.clone()
    )


@pytest.fixture
def moved(planted: Policy, rollouts: list[Rollout]) -> Evidence:
    policy = planted.clone()
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            parameter.add_(
                torch.from_numpy(generator("moved", name).normal(0, 0.01, tuple(parameter.shape)))
            )
    return evidence(
        policy, rollouts[::-1], **CHAIN, base_rollouts=tuple(rollouts[::-1]), base_policy=planted
    )


def test_every_instrument_in_the_table_has_an_example_here() -> None:
    assert {type(probe) for probe in EXAMPLES} == set(components("probes").values())


def test_no_two_instruments_share_a_metric() -> None:
    counts = Counter(metric for probe in EXAMPLES for metric in probe.metrics)
    assert set(counts.values()) == {1}


@each
def test_it_makes_the_metrics_it_declares_and_no_others(probe: Probe, itself: Evidence) -> None:
    rows = probe.measure(itself)
    assert {row.metric for row in rows} == set(probe.metrics)
    assert all(re.fullmatch(r"[a-z_]+/[a-z_]+", row.metric) for row in rows)
    assert {row.probe for row in rows} == {row.metric.split("/")[0] for row in rows}


WITHOUT_ROWS_OF_PROBLEMS = re.compile(
    "behaviour/(gain|move|share_null|reweighting|strategy_reward)|novelty/|elicitation/|"
    "boundary/(crossing|discovery|support|sampling_gap|split_|shrunk_beyond|expanded_beyond)"
)
"""Metrics with an interval over problems that are not paired by problem: comparisons with the base,
and what is made of many problems at once. A verdict on one says "these problems".
"""


@each
def test_every_row_says_whose_it_is_and_what_it_stands_on(probe: Probe, moved: Evidence) -> None:
    for row in probe.measure(moved):
        assert (row.study, row.arm, row.seed, row.step, row.sources) == ("s", "truth", 0, 4, ("a",))
        assert row.unit in SIZES
        assert row.over
        assert (row.value is None) <= (row.n == 0)
        assert (row.lower is None) == (row.upper is None)
        if row.value is not None and row.lower is not None and row.upper is not None:
            assert row.interval
            assert row.lower <= row.value <= row.upper
        if row.unit == "share" and row.value is not None and row.over != PSEUDO:
            assert 0 <= row.value <= 1


@each
def test_rows_of_problems_have_the_aggregate_as_their_mean(probe: Probe, moved: Evidence) -> None:
    """So that arms can be paired by problem in every metric that has problems."""
    rows = probe.measure(moved)
    of_each: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = {}
    for row in rows:
        labels = tuple((n, v) for n, v in sorted(row.labels.items()) if n != "problem")
        if "problem" in row.labels and row.value is not None:
            of_each.setdefault((row.metric, labels), []).append(row.value)
    for row in rows:
        values = of_each.get((row.metric, tuple(sorted(row.labels.items()))))
        if values and row.value is not None and row.over != "weights":
            assert sum(values) / len(values) == pytest.approx(row.value, rel=1e-6, abs=1e-9), row
        exempt = WITHOUT_ROWS_OF_PROBLEMS.match(row.metric)
        if row.value is not None and row.lower is not None and "problem" not in row.labels:
            assert values or exempt, row.metric


@each
def test_no_two_rows_are_about_the_same_thing(probe: Probe, itself: Evidence) -> None:
    addresses = [(row.metric, tuple(sorted(row.labels.items()))) for row in probe.measure(itself)]
    assert len(addresses) == len(set(addresses))


@each
def test_the_same_subject_gives_the_same_rows(probe: Probe, moved: Evidence) -> None:
    assert probe.measure(moved) == probe.measure(moved)


@each
def test_it_leaves_policy_and_base_as_it_found_them(probe: Probe, moved: Evidence) -> None:
    assert moved.base_policy is not None
    before = [
        {n: p.clone() for n, p in policy.model.state_dict().items()}
        for policy in (moved.policy, moved.base_policy)
    ]
    state = torch.get_rng_state()
    probe.measure(moved)
    assert torch.equal(torch.get_rng_state(), state)
    for policy, weights in zip((moved.policy, moved.base_policy), before, strict=True):
        torch.testing.assert_close(dict(policy.model.state_dict()), weights, atol=0.0, rtol=0.0)
        assert not policy.model.training


OF_TWO_SETS = re.compile("boundary/(split_|shrunk_beyond|expanded_beyond)")
"""What two sets of draws of one policy differ in, which is not nothing."""


def about_a_difference(row: Measurement) -> bool:
    """Whether the row is about base and trained policy together: then the base against itself must
    give nothing.
    """
    if (
        (row.metric.startswith("weights/") and row.metric != "weights/spectral_gap")
        or row.metric in BETWEEN
        or row.labels.get("class") in NEW
    ):
        return True
    return row.metric == "behaviour/move_share" and row.labels["before"] != row.labels["after"]


@each
def test_the_base_against_itself_gives_nothing(probe: Probe, itself: Evidence) -> None:
    together = [
        row
        for row in probe.measure(itself)
        if about_a_difference(row) and not OF_TWO_SETS.match(row.metric)
    ]
    assert {row.value for row in together} <= {
        0.0,
        None,
    }  # a matrix that did not move has no stable rank
    assert together or isinstance(probe, (Diversity, Calibration, Ladder, Experience))


@each
def test_the_base_alone_is_read_as_the_subject_would_be(
    probe: Probe, planted: Policy, rollouts: list[Rollout], itself: Evidence
) -> None:
    alone = probe.measure(evidence(planted, rollouts, **CHAIN))
    assert not [row for row in alone if about_a_difference(row)]
    both = {
        (row.metric, tuple(sorted(row.labels.items()))): row.value for row in probe.measure(itself)
    }
    assert all(both[row.metric, tuple(sorted(row.labels.items()))] == row.value for row in alone)


FOREIGN = tuple(
    Rollout(
        Problem(f"p{place}", "elsewhere", f"What is {place} + 1?", str(place + 1)),
        0,
        tuple(
            Completion(f"It is {answer}.", (), (), Ending.END_TOKEN)
            for answer in (place, place + 1, place + 2, place + 1)
        ),
        tuple(
            Grade(correct, correct, True, str(place), confidence)
            for correct, confidence in ((False, 0.25), (True, 0.75), (None, None), (True, None))
        ),
    )
    for place in range(5)
)
"""Completions of another trainer: texts and verdicts, no tokens, no logprobs, no policy."""


def foreign(**more: Any) -> Evidence:
    return Evidence(study="s", arm="truth", seed=0, step=4, rollouts=FOREIGN, **more)


@each
@pytest.mark.parametrize("base", [None, FOREIGN[::-1]], ids=["alone", "beside a base"])
def test_foreign_completions_give_rows_or_a_stated_gap(
    probe: Probe, base: tuple[Rollout, ...] | None
) -> None:
    rows, gaps = measure_all([probe], foreign(base_rollouts=base))
    assert rows or gaps
    assert {row.metric for row in rows} <= set(probe.metrics)
    for gap in gaps:
        assert not gap.failure, gap.failure
        assert gap.lacks and gap.partial == bool(rows)
        assert gap.metrics == probe.metrics
    assert bool(rows) == isinstance(
        probe, (Boundary, Behaviour, Diversity, Calibration, Ladder, Experience)
    )


@each
def test_an_instrument_with_its_needs_is_never_a_gap(probe: Probe, moved: Evidence) -> None:
    rows, gaps = measure_all([probe], moved)
    assert rows == probe.measure(moved)
    assert [gap.of for gap in gaps] == (["Experience"] if isinstance(probe, Experience) else [])


def test_what_foreign_completions_do_not_have_is_unknown_and_counted() -> None:
    rows, _ = measure_all([Behaviour(()), Calibration(bins=2)], foreign())
    whole = [row for row in rows if "problem" not in row.labels]
    by_label = {(row.metric, row.labels.get("view", "")): row for row in whole}
    length = by_label["behaviour/length_tokens", ""]
    assert (length.value, length.n, length.dropped) == (None, 0, 5)
    sequence = by_label["calibration/brier", "sequence"]
    assert (sequence.value, sequence.n, sequence.dropped) == (None, 0, 20)
    stated = by_label["calibration/brier", "stated"]
    assert stated.value == pytest.approx(0.0625) and (stated.n, stated.dropped) == (10, 10)


def test_an_untrained_policy_lacks_no_base() -> None:
    probes = [Boundary(max_k=4), Experience()]
    _, gaps = measure_all(probes, replace(foreign(), seed=None))
    assert gaps == []


def test_weights_are_compared_from_folders_without_a_model(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("before", "after")]
    matrix = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    for place, folder in enumerate(folders):
        folder.mkdir()
        save_file(
            {"model.layers.0.mlp.up_proj.weight": matrix + place}, folder / "model.safetensors"
        )
    before, after = map(FolderWeights, folders)
    nothing = Evidence("s", "truth", 0, 4, (), weights=after, base_weights=before)
    rows, gaps = measure_all([WeightChange(), Boundary()], nothing)
    norms = [row for row in rows if row.metric == "weights/update_norm"]
    whole = [row.value for row in norms if row.labels.get("matrix") == "all"]
    assert whole == [pytest.approx(12**0.5)]
    assert [(gap.of, gap.lacks) for gap in gaps] == [("Boundary", ("completions",))]


def test_needs_that_are_no_needs_are_told_and_not_taken_for_met() -> None:
    class Misnamed(Boundary):
        needs: ClassVar[Any] = frozenset({"policy"})

    rows, gaps = measure_all([Misnamed(max_k=2)], foreign())
    assert rows == [] and "Need.POLICY" in gaps[0].failure


@dataclass(frozen=True)
class Wrong:
    """A guest that returns what no table can hold."""

    metrics: ClassVar[tuple[str, ...]] = ("wrong/number",)
    returns: Any = None

    def measure(self, evidence: Evidence) -> list[Measurement]:
        return [self.returns] if not callable(self.returns) else [self.returns(evidence)]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (0.5, "float instead of a Measurement"),
        (lambda e: e.row("other/number", "share", 1.0, n=1, over="x"), "other/number"),
        (lambda e: replace(e, arm="x").row("wrong/number", "s", 1.0, n=1, over="x"), "'x'"),
        (lambda e: e.row("wrong/number", "share", "a", n=1, over="x"), "not a number"),
        (lambda e: e.row("wrong/number", "share", 1.0, n=1, over="x", labels={"k": 1}), "not text"),
        (lambda e: e.row("wrong/number", "share", 1.0, n=1.5, over="x"), "n=1.5"),
        (lambda e: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_one_guests_nonsense_costs_nobody_else_a_row(returned: Any, told: str) -> None:
    rows, gaps = measure_all([Wrong(returned), Boundary(max_k=2)], foreign())
    assert {row.metric.split("/")[0] for row in rows} == {"boundary"}
    assert told in gaps[0].failure
    assert gaps[0].of == "test_probes:Wrong" and gaps[0].metrics == ("wrong/number",)
