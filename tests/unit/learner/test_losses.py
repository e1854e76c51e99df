import math
from typing import get_args

import jaxtyping
import pytest
import torch

from rewardscope.errors import ComponentError
from rewardscope.learner.losses import clipped_surrogate, ratio_to_old, token_weights
from rewardscope.seeds import generator
from rewardscope.tensors import KL, kl_estimate

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.bool)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "slope", "cut"),
    [
        (1.0, 2.0, -2.0, -2.0, False),
        (1.1, 2.0, -2.2, -2.2, False),
        (1.5, 2.0, -2.6, 0.0, True),  # min(3, 1.3 x 2)
        (0.5, 2.0, -1.0, -1.0, False),  # min(1, 0.8 x 2): a token that fell may still be raised
        (1.1, -2.0, 2.2, 2.2, False),
        (1.5, -2.0, 3.0, 3.0, False),  # min(-3, -2.6): a token that rose may still be lowered
        (0.9, -2.0, 1.8, 1.8, False),
        (0.5, -2.0, 1.6, 0.0, True),  # min(-1, -1.6)
        (1.5, 0.0, 0.0, 0.0, False),
    ],
)
def test_the_clipped_surrogate_by_hand(
    ratio: float, advantage: float, loss: float, slope: float, cut: bool
) -> None:
    old = torch.tensor([-1.5])
    new = (old + math.log(ratio)).requires_grad_()
    found, was_cut = clipped_surrogate(
        (new - old).exp(), torch.tensor([advantage]), clip_low=0.2, clip_high=0.3
    )
    found.sum().backward()
    assert found.item() == pytest.approx(loss, abs=1e-6)
    assert new.grad is not None
    assert new.grad.item() == pytest.approx(slope, abs=1e-6)
    assert was_cut.item() is cut


def test_k3_by_hand() -> None:
    found = kl_estimate(
        torch.log(torch.tensor([0.5, 0.25, 0.5])), torch.log(torch.tensor([0.25, 0.5, 0.5])), "k3"
    )
    torch.testing.assert_close(
        found, torch.tensor([0.5 + math.log(2) - 1, 2 - math.log(2) - 1, 0.0])
    )


def test_k1_and_k2_by_hand() -> None:
    policy, reference = torch.tensor([-1.0, -3.0]), torch.tensor([-2.0, -2.5])
    torch.testing.assert_close(kl_estimate(policy, reference, "k1"), torch.tensor([1.0, -0.5]))
    torch.testing.assert_close(kl_estimate(policy, reference, "k2"), torch.tensor([0.5, 0.125]))


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_k1_and_k3_average_to_the_kl(estimator: KL) -> None:
    policy, reference = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.2, 0.5, 0.3])
    mean = (policy * kl_estimate(policy.log(), reference.log(), estimator)).sum()
    torch.testing.assert_close(mean, (policy * (policy / reference).log()).sum())


def test_followed_back_each_estimator_pulls_another_way() -> None:
    """By enumeration: k2 towards the minimum of KL(policy || reference), k3 of KL(reference ||
    policy), and k1 nowhere.
    """
    logits, reference = (
        torch.tensor([0.5, -1.0, 0.2, 0.0], requires_grad=True),
        torch.tensor([-0.3, 0.4, 0.9, -1.0]).log_softmax(0),
    )

    def gradient(loss: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(loss, logits, retain_graph=True)[0]

    policy = logits.log_softmax(0)
    expected = {
        k: gradient((policy.exp().detach() * kl_estimate(policy, reference, k)).sum())
        for k in get_args(KL)
    }
    torch.testing.assert_close(expected["k1"], torch.zeros(4))
    torch.testing.assert_close(
        expected["k2"], gradient((policy.exp() * (policy - reference)).sum())
    )
    torch.testing.assert_close(
        expected["k3"], gradient((reference.exp() * (reference - policy)).sum())
    )


def test_k3_is_never_negative_and_averages_to_the_kl() -> None:
    policy, reference = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.2, 0.5, 0.3])
    per_action = kl_estimate(policy.log(), reference.log(), "k3")
    assert (per_action >= 0).all()
    torch.testing.assert_close(
        (policy * per_action).sum(), (policy * (policy / reference).log()).sum()
    )


def test_k3_pulls_the_policy_towards_the_reference() -> None:
    logprob_M = torch.tensor([-1.0, -3.0], requires_grad=True)
    kl_estimate(logprob_M, torch.tensor([-2.0, -2.0]), "k3").sum().backward()
    assert logprob_M.grad is not None
    assert logprob_M.grad[0] > 0 > logprob_M.grad[1]


def test_the_weights_of_tokens_by_hand() -> None:
    """6 tokens in all; 3 completions of 4, 2 and 0 tokens; at most 8 tokens each."""
    torch.testing.assert_close(
        token_weights(MASK, "token", 8), torch.tensor([[1.0] * 4, [1.0, 1.0, 0, 0], [0.0] * 4]) / 6
    )
    torch.testing.assert_close(
        token_weights(MASK, "sequence", 8),
        torch.tensor([[0.25] * 4, [0.5, 0.5, 0, 0], [0.0] * 4]) / 3,
    )
    torch.testing.assert_close(token_weights(MASK, "constant", 8), MASK.float() / 24)


def test_active_weights_are_those_of_a_batch_without_the_others() -> None:
    advantage_NT = torch.tensor([[0.0] * 4, [-1.0, -1.0, 0, 0], [0.0] * 4])
    expected = torch.tensor([[0.0] * 4, [0.5, 0.5, 0, 0], [0.0] * 4])
    torch.testing.assert_close(token_weights(MASK, "active", 8, advantage_NT != 0), expected)
    torch.testing.assert_close(
        token_weights(MASK, "active", 8, torch.zeros(3, 4).bool()), torch.zeros(3, 4)
    )


def test_the_ratio_of_a_completion_by_hand() -> None:
    """Two completions of 3 and 1 tokens: the geometric mean of the tokens' ratios, at each token,
    and its slope.
    """
    old = torch.tensor([-1.0, -1.0, -1.0, -2.0])
    new = torch.tensor([-0.7, -1.0, -1.0, -1.0], requires_grad=True)
    found = ratio_to_old(new, old, torch.tensor([0, 0, 0, 1]), 2, "sequence")
    torch.testing.assert_close(found, torch.tensor([0.1, 0.1, 0.1, 1.0]).exp())
    found[0].backward()
    torch.testing.assert_close(new.grad, torch.tensor([1.0, 1.0, 1.0, 0.0]) * math.exp(0.1) / 3)
    whole = ratio_to_old(new, old, torch.tensor([0, 0, 0, 1]), 2, "product")
    torch.testing.assert_close(whole, torch.tensor([0.3, 0.3, 0.3, 1.0]).exp())


def test_the_weights_of_a_full_minibatch_sum_to_one() -> None:
    full = torch.ones(5, 8, dtype=torch.bool)
    for normalise in ("token", "sequence", "constant"):
        assert token_weights(full, normalise, 8).sum().item() == pytest.approx(1.0)


def test_constant_weights_do_not_depend_on_what_was_sampled() -> None:
    lengths = generator("lengths").integers(1, 9, size=6)
    mask = torch.arange(8) < torch.from_numpy(lengths)[:, None]
    assert set(token_weights(mask, "constant", 8)[mask].tolist()) == {torch.tensor(1 / 48).item()}


def test_an_unknown_normalisation_is_refused_where_types_are_not_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ComponentError, match=r"'mean'.*token, sequence, constant, active"):
        token_weights(MASK, "mean", 8)  # type: ignore[arg-type]
