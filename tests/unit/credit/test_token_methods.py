"""Credit that is more than a group's mean: hand-worked numbers, and the identities between
methods.
"""

import itertools
import math
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from rewardscope.credit.base import to_come, whitened
from rewardscope.credit.generalised import GeneralisedAdvantage
from rewardscope.credit.group_mean import GroupMean
from rewardscope.credit.implicit_process import ImplicitProcess, Placement
from rewardscope.credit.kl_in_reward import KLInReward
from rewardscope.credit.leave_one_out import LeaveOneOut
from rewardscope.credit.planning import Planning
from rewardscope.credit.reinforce import Reinforce, ReinforcePlusPlus
from rewardscope.credit.reprompt import Reprompt
from rewardscope.credit.self_distillation import SelfDistillation
from rewardscope.credit.signed import Signed
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.tensors import Signals

NAN = float("nan")
MASK = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=torch.bool)


def given(reward_PG: list[list[float]], mask_NT: Tensor = MASK, **more: Any) -> Signals:
    return Signals(reward_PG=torch.tensor(reward_PG), mask_NT=mask_NT, address=("test",), **more)


def normal(*address: str) -> Tensor:
    return torch.from_numpy(generator(*address).normal(size=tuple(MASK.shape))).float() * MASK


def test_what_is_still_to_come_by_hand() -> None:
    assert to_come(torch.tensor([[1.0, 2.0, 4.0]])).tolist() == [[7.0, 6.0, 4.0]]
    assert to_come(torch.tensor([[1.0, 2.0, 4.0]]), 0.5).tolist() == [[3.0, 4.0, 4.0]]


def test_whitening_is_over_the_masked_tokens_alone() -> None:
    found = whitened(
        torch.tensor([[1.0, 3.0, 99.0], [5.0, 99.0, 99.0]]),
        torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.bool),
    )
    torch.testing.assert_close(found, torch.tensor([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))


def test_reinforce_pays_the_reward_or_the_reward_minus_the_steps_mean() -> None:
    plain = Reinforce()(given([[1.0, 0.0], [0.5, NAN]])).advantage_NT
    assert plain[:, 0].tolist() == [1.0, 0.0, 0.5, 0.0]
    centred = Reinforce("batch")(given([[1.0, 0.0], [0.5, NAN]])).advantage_NT
    assert centred[:, 0].tolist() == [0.5, -0.5, 0.0, 0.0]


def test_reinforce_plus_plus_weighs_completions_by_their_tokens() -> None:
    """Tokens: three of reward 1, one of 0, two of 0, three of 1: mean 6 / 9, std over 9 tokens."""
    found = ReinforcePlusPlus()(given([[1.0, 0.0], [0.0, 1.0]])).advantage_NT
    std = math.sqrt((6 * (1 / 3) ** 2 + 3 * (2 / 3) ** 2) / 8)
    expected = torch.tensor([1 / 3, -2 / 3, -2 / 3, 1 / 3])[:, None] / std * MASK
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("group_baseline", [False, True])
def test_reinforce_plus_plus_of_equal_rewards_is_zero_and_not_rounding(
    group_baseline: bool,
) -> None:
    assert (
        ReinforcePlusPlus(group_baseline)(given([[0.1, 0.1], [0.1, 0.1]])).advantage_NT == 0
    ).all()


def test_signed_by_hand() -> None:
    rewards = [[1.0, 0.0], [NAN, 0.25]]
    weights = ((1.0, 0.0), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0))
    columns = [
        Signed(positive, negative)(given(rewards)).advantage_NT[:, 0].tolist()
        for positive, negative in weights
    ]
    assert columns == [
        [1.0, 0.0, 0.0, 0.25],
        [0.0, -1.0, 0.0, -0.75],
        [0.5, -1.0, 0.0, -0.625],
        [1.0, -1.0, 0.0, -0.5],
    ]


def test_positive_and_negative_reinforcement_sum_to_reinforce_with_both_signs() -> None:
    signals = given([[1.0, 0.0], [0.0, 1.0]])
    both = Signed(1.0, 0.0)(signals).advantage_NT + Signed(0.0, 1.0)(signals).advantage_NT
    torch.testing.assert_close(both, Signed(1.0, 1.0)(signals).advantage_NT)


def expected_gradient(method: Signed, logit_TV: Tensor) -> Tensor:
    """Sum over all two-token completions of probability x advantage x grad log-probability (summed
    over tokens): by enumeration.
    """
    logit_TV = logit_TV.clone().requires_grad_()
    logprob_TV = logit_TV.log_softmax(-1)
    total = torch.zeros(())
    for first, second in itertools.product(range(3), repeat=2):
        logprob = logprob_TV[0, first] + logprob_TV[1, second]
        reward = float((first + second) % 3 == 2)
        mask_NT = torch.ones(1, 2, dtype=torch.bool)
        advantage = method(
            Signals(reward_PG=torch.tensor([[reward]]), mask_NT=mask_NT)
        ).advantage_NT[0, 0]
        total = total + logprob.exp().detach() * advantage * logprob
    total.backward()
    assert logit_TV.grad is not None
    return logit_TV.grad


def test_on_policy_the_expected_gradients_of_both_signs_are_that_of_the_chance_to_be_right() -> (
    None
):
    logit_TV = torch.tensor([[0.2, -1.0, 0.7], [1.0, 0.1, -0.4]])
    positive, negative = (
        expected_gradient(Signed(1.0, 0.0), logit_TV),
        expected_gradient(Signed(0.0, 1.0), logit_TV),
    )
    torch.testing.assert_close(positive, negative)
    torch.testing.assert_close(expected_gradient(Signed(0.1, 1.0), logit_TV), 1.1 * positive)
    leaf = logit_TV.clone().requires_grad_()
    probability_TV = leaf.softmax(-1)
    right = sum(
        (
            probability_TV[0, f] * probability_TV[1, s]
            for f, s in itertools.product(range(3), repeat=2)
            if (f + s) % 3 == 2
        ),
        leaf.new_zeros(()),
    )
    right.backward()
    torch.testing.assert_close(positive, leaf.grad)


def test_rewards_that_are_no_success_or_failure_are_refused() -> None:
    with pytest.raises(ComponentError, match=r"must lie in \[0, 1\]. Got: -0\.5"):
        Signed()(given([[-0.5, 1.0], [0.0, 0.0]]))
    with pytest.raises(ComponentError, match="not both 0"):
        Signed(0.0, 0.0)


def test_generalised_advantages_by_hand() -> None:
    """One completion of three tokens, reward 1 at its end, values 0.2, 0.5, 0.4; discount 0.9,
    trace 0.5.
    """
    value_NT = torch.tensor([[0.2, 0.5, 0.4]])
    mask_NT = torch.ones(1, 3, dtype=torch.bool)
    found = GeneralisedAdvantage(0.9, 0.5, whiten=False)(given([[1.0]], mask_NT, value_NT=value_NT))
    last = 1 - 0.4
    middle = 0.9 * 0.4 - 0.5 + 0.45 * last
    first = 0.9 * 0.5 - 0.2 + 0.45 * middle
    torch.testing.assert_close(found.advantage_NT, torch.tensor([[first, middle, last]]))
    torch.testing.assert_close(
        found.target_value_NT, torch.tensor([[first + 0.2, middle + 0.5, last + 0.4]])
    )


def test_with_a_trace_of_one_the_advantage_is_what_the_critic_missed() -> None:
    value_NT = normal("values")
    found = GeneralisedAdvantage(1.0, 1.0, whiten=False)(
        given([[1.0, 0.0], [0.5, 1.0]], value_NT=value_NT)
    )
    reward_N1 = torch.tensor([[1.0], [0.0], [0.5], [1.0]])
    torch.testing.assert_close(found.advantage_NT, (reward_N1 - value_NT) * MASK)
    assert found.target_value_NT is not None
    torch.testing.assert_close(found.target_value_NT[MASK], reward_N1.expand(4, 3)[MASK])


def test_a_perfect_critic_leaves_no_advantage() -> None:
    value_NT = torch.tensor([[1.0], [0.0], [0.5], [1.0]]) * MASK
    found = GeneralisedAdvantage(whiten=False)(given([[1.0, 0.0], [0.5, 1.0]], value_NT=value_NT))
    torch.testing.assert_close(found.advantage_NT, torch.zeros(4, 3))
    assert found.notes["credit/value_explained"] == pytest.approx(1.0)


@pytest.mark.parametrize("placement", ["token", "uniform", "last", "noise"])
def test_an_untaught_implicit_model_gives_exactly_leave_one_out(placement: Placement) -> None:
    signals = given([[1.0, 0.0], [0.5, NAN]], implicit_NT=torch.zeros(4, 3))
    torch.testing.assert_close(
        ImplicitProcess(placement=placement)(signals).advantage_NT,
        LeaveOneOut()(signals).advantage_NT,
    )


def test_implicit_rewards_in_the_papers_form_by_hand() -> None:
    """Two completions: q = (0.3, -0.1, 0.4) and (0.5); the sibling's token mean is the baseline of
    every token.
    """
    implicit_NT = torch.tensor([[0.3, -0.1, 0.4], [0.5, 9.0, 9.0]])
    found = ImplicitProcess()(given([[1.0, 0.0]], MASK[:2], implicit_NT=implicit_NT)).advantage_NT
    first = [0.3 - 0.5, -0.1 - 0.5, 0.4 - 0.5]
    expected = [[sum(first) + 1, sum(first[1:]) + 1, first[2] + 1], [0.5 - 0.2 - 1, 0.0, 0.0]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_implicit_rewards_as_the_code_has_them_by_hand() -> None:
    implicit_NT = torch.tensor([[0.3, -0.1, 0.4], [0.5, 9.0, 9.0]])
    found = ImplicitProcess("code")(
        given([[1.0, 0.0]], MASK[:2], implicit_NT=implicit_NT)
    ).advantage_NT
    scaled = (
        torch.tensor([[0.3, -0.1, 0.4], [0.5, 0.0, 0.0]]) / 0.6
    )  # the largest |return| is that of the first completion's first token
    centred = (2 * scaled - (0.2 + 0.5) / 0.6) * MASK[
        :2
    ]  # times G / (G - 1), minus the sum of the means over (G - 1)
    returns = to_come(centred) + torch.tensor([[1.0], [-1.0]])
    torch.testing.assert_close(found, whitened(returns, MASK[:2]))


@pytest.mark.parametrize("placement", ["uniform", "last", "noise"])
def test_the_controls_have_the_same_sum_per_completion(placement: Placement) -> None:
    method = ImplicitProcess(placement=placement)
    signals = given([[1.0, 0.0], [1.0, 0.0]], implicit_NT=normal("implicit"))
    ratio_NT = signals.implicit_NT
    assert ratio_NT is not None
    placed_NT = method._placed(ratio_NT, MASK, signals)
    torch.testing.assert_close(placed_NT.sum(dim=1), ratio_NT.sum(dim=1))
    assert (placed_NT[~MASK] == 0).all()
    assert not torch.allclose(placed_NT[0], ratio_NT[0])


def test_the_baseline_of_the_papers_form_does_not_know_the_completion_and_the_codes_does() -> None:
    def first(form: str, value: float) -> Tensor:
        implicit_NT = torch.tensor([[value, value], [0.3, 0.1], [1.0, -1.0]])
        mask_NT = torch.ones(3, 2, dtype=torch.bool)
        return ImplicitProcess(form)(
            given([[1.0, 0.0, 1.0]], mask_NT, implicit_NT=implicit_NT)
        ).advantage_NT[0]  # type: ignore[arg-type]

    torch.testing.assert_close(first("paper", 0.7) - first("paper", 0.2), torch.tensor([1.0, 0.5]))
    assert not torch.allclose(first("code", 0.7) - first("code", 0.2), torch.tensor([1.0, 0.5]))


@pytest.mark.parametrize("form", ["paper", "code"])
def test_a_completion_whose_siblings_were_told_nothing_gets_no_process_credit(
    form: Literal["paper", "code"],
) -> None:
    def told(alone: Tensor) -> Tensor:
        implicit_NT = torch.cat(
            [alone * MASK[:2], torch.tensor([[0.3, 0.1, 0.0], [0.2, -0.4, 0.1]])]
        )
        return ImplicitProcess(form)(
            given([[1.0, NAN], [1.0, 0.0]], implicit_NT=implicit_NT)
        ).advantage_NT

    assert (told(torch.full((2, 3), 0.2))[:2] == 0).all()
    torch.testing.assert_close(told(torch.full((2, 3), 0.2)), told(torch.full((2, 3), 0.1)))


PLANNING = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=torch.bool)


def test_planning_tokens_of_successes_gain_and_those_of_failures_lose_less() -> None:
    found = Planning(("so",), gain=0.2)(
        given([[1.0, 0.0], [0.0, 1.0]], planning_NT=PLANNING)
    ).advantage_NT
    expected = [[0.6, 0.5, 0.5], [-0.4, 0.0, 0.0], [-0.5, -0.4, 0.0], [0.5, 0.5, 0.5]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_planning_without_gain_is_its_base() -> None:
    signals = given([[1.0, 0.0], [0.0, 1.0]], planning_NT=PLANNING)
    torch.testing.assert_close(
        Planning(("so",), gain=0.0)(signals).advantage_NT, GroupMean()(signals).advantage_NT
    )


def test_a_constant_drift_is_the_same_for_successes_and_failures() -> None:
    signals = given([[1.0, 0.0], [0.0, 1.0]], planning_NT=PLANNING)
    moved = (
        Planning(("so",), drift="constant")(signals).advantage_NT
        - GroupMean()(signals).advantage_NT
    )
    torch.testing.assert_close(moved, 0.2 * 0.5 * PLANNING)


def test_the_controls_gain_as_many_tokens_elsewhere() -> None:
    entropy_NT = torch.tensor([[0.1, 0.2, 0.9], [0.3, 0, 0], [0.8, 0.1, 0], [0.2, 0.7, 0.1]])
    signals = given([[1.0, 0.0], [0.0, 1.0]], planning_NT=PLANNING, entropy_NT=entropy_NT)
    base = GroupMean()(signals).advantage_NT
    gained = {
        where: Planning(("so",), where=where)(signals).advantage_NT != base
        for where in ("entropy", "random", "execution", "everywhere")
    }  # type: ignore[arg-type]
    assert torch.equal(gained["entropy"], (entropy_NT >= 0.7) & MASK)
    assert gained["random"].sum() == PLANNING.sum() and not (gained["random"] & ~MASK).any()
    assert torch.equal(gained["execution"], MASK & ~PLANNING)
    assert torch.equal(gained["everywhere"], MASK)


def test_grams_that_were_mined_from_right_completions_bring_the_key_along() -> None:
    assert not Planning(("so",)).uses_truth and Planning(("so",), mined_with_truth=True).uses_truth
    reads = SelfDistillation(Reprompt(feedback="always"), base=GroupMean())
    assert Planning(("so",), base=reads).uses_truth


def test_a_kl_in_the_reward_by_hand() -> None:
    sampler_NT = torch.tensor(
        [[-1.0, -1.0, -1.0], [-2.0, 9, 9], [-1.0, -1.0, 9], [-1.0, -1.0, -1.0]]
    )
    reference_NT = sampler_NT - torch.tensor(
        [[0.5, -0.1, 0.0], [1.0, 7, 7], [0.0, 0.0, 7], [0.0, 0.0, 0.3]]
    )
    signals = given(
        [[1.0, 0.0], [0.0, 1.0]], policy_logprob_NT=sampler_NT, reference_logprob_NT=reference_NT
    )
    found = KLInReward(base=Reinforce(), weight=0.1)(signals)
    torch.testing.assert_close(
        found.advantage_NT[:, 0], torch.tensor([1 - 0.04, -0.1, 0.0, 1 - 0.03])
    )
    assert found.notes["credit/kl_nats"] == pytest.approx((0.4 + 1.0 + 0.0 + 0.3) / 4)
    assert (
        KLInReward(base=LeaveOneOut())(replace(signals, reward_PG=torch.ones(2, 2))).notes[
            "credit/informative_group_share"
        ]
        == 0.0
    )
    squared = KLInReward(base=Reinforce(), weight=0.1, estimator="k2")(signals).advantage_NT[:, 0]
    torch.testing.assert_close(squared, torch.tensor([1 - 0.1 * 0.13, -0.05, 0.0, 1 - 0.1 * 0.045]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Planning(()), "needs grams"),
        (lambda: Planning(("so", "")), "non-empty texts"),
        (lambda: Planning(("so",), gain=1.0), "gain"),
        (lambda: GeneralisedAdvantage(discount=1.1), "discount"),
        (lambda: KLInReward(weight=-1.0), "0 or more"),
    ],
)
def test_settings_without_sense_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        make()
