import math

import pytest
import torch

from factories import evidence, rollout, tiny_policy
from rewardscope.probes.weight_change import WeightChange, tally
from rewardscope.types import Measurement

HEAD = "lm_head.weight"
"""22 x 16 entries."""


def row(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    (found,) = [r for r in rows if r.metric == f"weights/{metric}" and r.labels == labels]
    return found


def measured(changes: list[tuple[int, int, float]]) -> list[Measurement]:
    """Rows of a policy whose output layer is all ones but for what is planted: (row, column,
    added).
    """
    base = tiny_policy()
    with torch.no_grad():
        base.model.get_parameter(HEAD).fill_(1.0)
    policy = base.clone()
    with torch.no_grad():
        for place, column, added in changes:
            policy.model.get_parameter(HEAD)[place, column] += added
    return WeightChange().measure(evidence(policy, [rollout([True])], base_policy=base))


def test_exactly_the_planted_entries_are_counted() -> None:
    rows = measured([(0, 0, 0.5), (3, 7, -0.5), (21, 15, 0.25)])
    for view in ("float32", "bfloat16", "tolerance_1e-5"):
        assert row(rows, "changed_share", view=view, matrix=HEAD).value == pytest.approx(3 / 352)
        everything = row(rows, "changed_share", view=view, matrix="all")
        assert everything.value == pytest.approx(3 / everything.n)
    assert (
        row(rows, "changed_share", view="float32", matrix="model.embed_tokens.weight").value == 0.0
    )


def test_each_view_has_its_own_threshold() -> None:
    """Near 1, float32 has steps of 1.2e-7 and bfloat16 steps of 0.0078 above 1 and 0.0039 below
    it.
    """
    before = torch.ones(5)
    after = before + torch.tensor([0.0, 1e-6, 5e-5, 0.003, 0.005])
    assert tally(before, after).changed == {
        "float32": 4,
        "bfloat16": 1,
        "relative_1e-3": 2,
        "tolerance_1e-5": 3,
    }


def test_norms_by_hand() -> None:
    rows = measured([(0, 0, 0.75), (1, 1, -1.0)])
    assert row(rows, "update_norm", matrix=HEAD).value == pytest.approx(1.25)
    assert row(rows, "relative_update_norm", matrix=HEAD).value == pytest.approx(
        1.25 / math.sqrt(352)
    )
    assert row(rows, "update_norm", matrix="all").value == pytest.approx(1.25)
    with torch.no_grad():
        policy = tiny_policy()
        policy.model.get_parameter(HEAD).fill_(1.0)
        norm = math.sqrt(sum(float(p.double().square().sum()) for p in policy.model.parameters()))
    assert row(rows, "relative_update_norm", matrix="all").value == pytest.approx(1.25 / norm)


def test_the_whole_counts_every_weight_once() -> None:
    rows = measured([])
    every = row(rows, "update_norm", matrix="all").n
    assert every == sum(p.numel() for p in tiny_policy().model.parameters())
    assert every == sum(
        r.n
        for r in rows
        if r.metric == "weights/update_norm" and r.labels.get("matrix", "all") != "all"
    )


def test_the_base_against_itself_has_not_moved() -> None:
    rows = measured([])
    assert rows
    unknown = (
        "weights/stable_rank",
        "weights/gap_over_update",
        "weights/principal_overlap",
        "weights/low_overlap",
    )
    assert {r.value for r in rows if r.metric not in (*unknown, "weights/spectral_gap")} == {0.0}
    assert {(r.value, r.n) for r in rows if r.metric in unknown} <= {(None, 0)}


def test_the_base_alone_has_no_rows() -> None:
    assert WeightChange().measure(evidence(tiny_policy(), [rollout([True])])) == []


def test_weights_that_are_all_zero_have_no_relative_norm() -> None:
    base = tiny_policy()
    with torch.no_grad():
        base.model.get_parameter(HEAD).zero_()
    rows = WeightChange().measure(evidence(base.clone(), [rollout([True])], base_policy=base))
    assert row(rows, "relative_update_norm", matrix=HEAD).value is None
