import pytest
import torch

from rewardscope import GroupMean, Imitation, SelfDistillation
from rewardscope.errors import ComponentError
from rewardscope.tensors import Signals, Teaching

NAN = float("nan")
TOKENS = torch.tensor([[1, 2, 0], [1, 2, 0], [1, 2, 3], [1, 2, 0]])
MASK = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1]]).bool()


def signals(*told: float) -> Signals:
    return Signals(reward_PG=torch.tensor([told]), mask_NT=MASK, token_NT=TOKENS)


def imitated(method: Imitation, *told: float) -> list[list[float]]:
    found = method(signals(*told)).imitation_NT
    assert found is not None
    return found.tolist()


def test_completions_at_the_threshold_are_imitated_and_the_untold_are_not() -> None:
    assert imitated(Imitation(), 1.0, 0.0, NAN, 1.0) == [[1, 1, 0], [0, 0, 0], [0, 0, 0], [1, 1, 1]]
    assert imitated(Imitation(0.5), 0.4, 0.5, 0.6, 0.0) == [
        [0, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
        [0, 0, 0],
    ]


def test_equal_completions_together_weigh_as_one() -> None:
    """The first two are equal; the fourth has their tokens and one more, which happens to be the
    padding's.
    """
    found = imitated(Imitation(distinct=True), 1.0, 1.0, 1.0, 1.0)
    assert found == [[0.5, 0.5, 0], [0.5, 0.5, 0], [1, 1, 1], [1, 1, 1]]
    assert imitated(Imitation(distinct=True), 1.0, 0.0, 1.0, 1.0)[0] == [
        1,
        1,
        0,
    ]  # its twin was not chosen


def test_the_share_of_imitated_completions_is_noted() -> None:
    assert (
        Imitation(distinct=True)(signals(1.0, 1.0, 0.0, NAN)).notes["credit/imitated_share"] == 0.5
    )


def test_distinct_without_tokens_is_refused() -> None:
    with pytest.raises(ComponentError, match="compares tokens"):
        Imitation(distinct=True)(Signals(reward_PG=torch.ones(1, 4), mask_NT=MASK))


def test_a_hybrid_is_the_base_at_its_share_beside_the_teacher_at_the_rest() -> None:
    said = Teaching(torch.tensor([True, True, False, True]), torch.zeros(4, 3, 5), None)
    given = Signals(reward_PG=torch.tensor([[1.0, 0.0, 0.0, NAN]]), mask_NT=MASK, teaching=said)
    found = SelfDistillation(base=GroupMean(), base_share=0.75)(given)
    torch.testing.assert_close(found.advantage_NT, 0.75 * GroupMean()(given).advantage_NT)
    assert found.distillation is not None and found.distillation.weight == 0.25
    assert found.distillation.teaching.evidence_N.tolist() == [
        True,
        True,
        False,
        False,
    ]  # the untold one is not taught
    assert (
        found.notes["credit/taught_share"] == 0.5
        and "credit/informative_group_share" in found.notes
    )


@pytest.mark.parametrize(
    "settings",
    [{"over": "sampled"}, {"mixing": 1.5}, {"over": "top", "top": 0}, {"base_share": -0.1}],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="SelfDistillation cannot have these settings"):
        SelfDistillation(**settings)  # type: ignore[arg-type]
