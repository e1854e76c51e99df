"""Streams beside the advantage: imitation, distillation, losses of whole completions."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from factories import sampled_batch, tiny_policy
from rewardscope import DPO, Imitation, Learner, SelfDistillation, Signed, Teacher
from rewardscope.learner import learner as learner_module
from rewardscope.learner import passes
from rewardscope.learner.losses import completion_pull, divergence, with_tail
from rewardscope.policy import Policy, Sampling, score
from rewardscope.seeds import generator
from rewardscope.tensors import Batch, Distillation, Signals, Teaching, TokenCredit

PROMPTS = ("1+2?", "3*4-5?", "6+7*8-9?", "0-1?")
REWARDS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def batch() -> Batch:
    return sampled_batch(tiny_policy(), PROMPTS, 3, Sampling(max_tokens=8))


def moved(policy: Policy) -> Policy:
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(
                torch.from_numpy(generator("streams", name).normal(0, 0.05, tuple(parameter.shape)))
            )
    return other


def gradients(
    learner: Learner, batch: Batch, credit: TokenCredit, policy: Policy | None = None
) -> tuple[float, dict[str, Tensor]]:
    policy = policy or tiny_policy()
    still = replace(learner, learning_rate=0.0, max_gradient_norm=1e9)
    notes = still.update(policy, still.optimizer(policy), batch, credit, None, 8, ("test",))
    return notes["loss"], {
        name: p.grad.clone() for name, p in policy.model.named_parameters() if p.grad is not None
    }


def signals(batch: Batch, policy: Policy | None = None, **given: Tensor) -> Signals:
    reference_NT = score(policy or tiny_policy(), batch).logprob_NT
    return Signals(
        reward_PG=REWARDS,
        mask_NT=batch.mask_NT,
        token_NT=batch.token_NT,
        reference_logprob_NT=reference_NT,
        address=("test",),
        **given,
    )


def distributions(count: int, size: int, name: str) -> Tensor:
    draws = torch.from_numpy(generator("distributions", name).normal(size=(count, size)))
    return torch.log_softmax(draws.float(), dim=-1)


def test_the_ends_of_the_divergence_are_the_two_kls_and_between_is_below_log_two() -> None:
    one, other = distributions(50, 7, "one"), distributions(50, 7, "other")
    torch.testing.assert_close(
        divergence(one, other, 0.0), (other.exp() * (other - one)).sum(-1), atol=1e-6, rtol=1e-5
    )
    torch.testing.assert_close(
        divergence(one, other, 1.0), (one.exp() * (one - other)).sum(-1), atol=1e-6, rtol=1e-5
    )
    middle = ((one.exp() + other.exp()) / 2).log()
    expected = ((one.exp() * (one - middle)).sum(-1) + (other.exp() * (other - middle)).sum(-1)) / 2
    torch.testing.assert_close(divergence(one, other, 0.5), expected, atol=1e-6, rtol=1e-5)
    assert (divergence(one, other, 0.5) < torch.tensor(2.0).log()).all()


@pytest.mark.parametrize("mixing", [0.0, 0.25, 0.5, 1.0])
def test_a_distribution_is_at_no_distance_from_itself_and_its_neighbours_are_a_quarter_kl_apart(
    mixing: float,
) -> None:
    one = torch.log_softmax(distributions(20, 7, "one").double(), dim=-1)
    assert divergence(one, one, mixing).abs().max() < 1e-12
    near = torch.log_softmax(one + 1e-3 * distributions(20, 7, "step").double(), dim=-1)
    if 0 < mixing < 1:
        ratio = divergence(one, near, mixing) / divergence(one, near, 1.0)
        torch.testing.assert_close(
            ratio, torch.full_like(ratio, mixing * (1 - mixing)), rtol=5e-3, atol=0
        )


def test_the_tail_makes_each_row_sum_to_one() -> None:
    kept = distributions(30, 9, "one")[:, :4]
    torch.testing.assert_close(with_tail(kept).exp().sum(dim=-1), torch.ones(30), atol=1e-6, rtol=0)
    assert (
        with_tail(torch.log_softmax(torch.zeros(1, 3), dim=-1)).isfinite().all()
    )  # nothing left for the tail


def test_the_gradient_of_the_full_kl_is_minus_sum_of_pi_a_grad_log_pi() -> None:
    """With A = log teacher - log policy: the identity that makes SDPO a policy gradient over the
    whole vocabulary.
    """
    logits = torch.from_numpy(generator("identity").normal(size=(5, 6))).requires_grad_()
    teacher = distributions(5, 6, "teacher").double()
    policy = torch.log_softmax(logits, dim=-1)
    (found,) = torch.autograd.grad(
        divergence(policy, teacher, 1.0).sum(), logits, retain_graph=True
    )
    weight = (policy.exp() * (teacher - policy)).detach()
    (expected,) = torch.autograd.grad(-(weight * policy).sum(), logits)
    torch.testing.assert_close(found, expected)


def test_a_loss_of_completions_has_the_gradient_of_its_pull() -> None:
    def loss(logprob_PG: Tensor, problems: list[int]) -> Tensor:
        return (logprob_PG[:, 0] * logprob_PG[:, 1]).sum() * problems[0]

    value, pull_N = completion_pull(loss, torch.tensor([2.0, 3.0, 5.0, 7.0]), 2, [2, 3])
    assert value == 2 * (6 + 35)
    assert pull_N.tolist() == [6.0, 4.0, 14.0, 10.0]


def test_dpo_in_many_passes_has_the_gradient_of_dpo_in_one(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    credit = DPO()(signals(batch))
    policy = moved(tiny_policy())
    whole = gradients(Learner(), batch, credit, policy.clone())
    assert max(float(gradient.norm()) for gradient in whole[1].values()) > 1e-3
    monkeypatch.setattr(passes, "PASS_TOKENS", 1)
    cut = gradients(Learner(), batch, credit, policy.clone())
    assert cut[0] == pytest.approx(whole[0], abs=1e-6)
    torch.testing.assert_close(cut[1], whole[1], atol=1e-6, rtol=1e-4)


def test_dpo_raises_better_completions_over_worse_ones(batch: Batch) -> None:
    policy, learner = tiny_policy(), Learner(learning_rate=1e-3, minibatches=2)
    optimizer, credit = learner.optimizer(policy), DPO()(signals(batch))
    before = score(policy, batch).logprob_NT.sum(dim=1)
    for step in range(5):
        notes = learner.update(policy, optimizer, batch, credit, None, 8, ("test", step))
    ratio_PG = (score(policy, batch).logprob_NT.sum(dim=1) - before).reshape(4, 3)
    better_PGG = REWARDS[:, :, None] > REWARDS[:, None, :]
    apart = (ratio_PG[:, :, None] - ratio_PG[:, None, :])[better_PGG]
    assert (apart >= 0).all() and (
        apart > 1
    ).float().mean() > 0.8  # 0 between a right and a wrong completion of the same tokens
    assert notes["loss"] < torch.tensor(2.0).log()


def test_imitation_on_policy_has_the_gradient_of_positive_reinforcement(batch: Batch) -> None:
    """At ratio 1 rewarding successes and imitating them are one thing; the losses differ in value
    alone.
    """
    imitated = gradients(Learner(normalise="active"), batch, Imitation()(signals(batch)))
    rewarded = gradients(Learner(normalise="active"), batch, Signed(1.0, 0.0)(signals(batch)))
    torch.testing.assert_close(imitated[1], rewarded[1], atol=1e-6, rtol=1e-4)
    chosen = (REWARDS.reshape(-1, 1) * batch.mask_NT).bool()
    assert imitated[0] == pytest.approx(-float(batch.sampler_logprob_NT[chosen].mean()), abs=1e-5)


def teaching(batch: Batch, teacher: Policy, over: str, top: int = 22) -> Teaching:
    prompts = [batch.prompt_ids[n // 3] if n != 4 else None for n in range(12)]
    kept = {"vocabulary": "all", "top": top, "sampled": "sampled"}[over]
    return Teacher("frozen").begin(teacher).teach(tiny_policy(), batch, prompts, kept)  # type: ignore[arg-type]


def test_a_teacher_that_is_the_policy_teaches_nothing_and_one_without_evidence_neither(
    batch: Batch,
) -> None:
    for mixing in (0.0, 0.5, 1.0):
        credit = SelfDistillation(mixing=mixing)(
            signals(batch, teaching=teaching(batch, tiny_policy(), "vocabulary"))
        )
        loss, found = gradients(Learner(), batch, credit)
        assert abs(loss) < 1e-6 and max(float(g.abs().max()) for g in found.values()) < 1e-5
    said = teaching(batch, moved(tiny_policy()), "vocabulary")
    none = replace(said, evidence_N=torch.zeros(12, dtype=torch.bool))
    loss, found = gradients(Learner(), batch, SelfDistillation()(signals(batch, teaching=none)))
    assert loss == 0 and all((g == 0).all() for g in found.values())


def test_distillation_moves_the_policy_towards_its_teacher(batch: Batch) -> None:
    teacher, policy = moved(tiny_policy()), tiny_policy()
    learner = Learner(learning_rate=1e-3)
    optimizer = learner.optimizer(policy)
    credit = SelfDistillation(mixing=0.0)(
        signals(batch, teaching=teaching(batch, teacher, "vocabulary"))
    )
    losses = [
        learner.update(policy, optimizer, batch, credit, None, 8, ("test", step))["loss"]
        for step in range(20)
    ]
    assert losses[-1] < 0.5 * losses[0]


def test_all_tokens_kept_is_the_whole_vocabulary(batch: Batch) -> None:
    """Top-V with its (empty) tail: the same loss and gradient as without choosing."""
    teacher = moved(tiny_policy())
    whole = gradients(
        Learner(),
        batch,
        SelfDistillation()(signals(batch, teaching=teaching(batch, teacher, "vocabulary"))),
    )
    top = gradients(
        Learner(),
        batch,
        SelfDistillation(over="top", top=22)(
            signals(batch, teaching=teaching(batch, teacher, "top"))
        ),
    )
    assert top[0] == pytest.approx(whole[0], abs=1e-5)
    torch.testing.assert_close(top[1], whole[1], atol=1e-5, rtol=1e-3)


def test_the_sampled_token_gives_the_policy_gradient_of_the_log_ratio(batch: Batch) -> None:
    """On-policy, (log policy - log teacher, held still) x log policy is an advantage of log teacher
    - log policy.
    """
    said = teaching(batch, moved(tiny_policy()), "sampled")
    distilled = gradients(
        Learner(),
        batch,
        SelfDistillation(over="sampled", mixing=1.0)(signals(batch, teaching=said)),
    )
    advantage_NT = (
        (said.logprob_NTK[:, :, 0] - batch.sampler_logprob_NT)
        * batch.mask_NT
        * said.evidence_N[:, None]
    )
    rewarded = gradients(Learner(), batch, TokenCredit(advantage_NT))
    torch.testing.assert_close(distilled[1], rewarded[1], atol=1e-5, rtol=1e-3)


def test_no_gradient_reaches_a_live_teacher(batch: Batch) -> None:
    prompts = [batch.prompt_ids[0]] * 12
    said = Teacher("live").begin(tiny_policy()).teach(tiny_policy(), batch, prompts, "all")
    assert not said.logprob_NTK.requires_grad
    torch.testing.assert_close(
        said.logprob_NTK[batch.mask_NT].exp().sum(-1), torch.ones(int(batch.mask_NT.sum()))
    )


def test_the_ratio_to_the_sampler_is_capped(batch: Batch) -> None:
    said = teaching(batch, moved(tiny_policy()), "vocabulary")
    old = replace(batch, sampler_logprob_NT=(batch.sampler_logprob_NT - 3) * batch.mask_NT)

    def loss(cap: float) -> float:
        return gradients(
            Learner(),
            old,
            TokenCredit(
                torch.zeros(batch.mask_NT.shape),
                distillation=Distillation(said, 1.0, most_ratio=cap),
            ),
        )[0]

    assert loss(2.0) == pytest.approx(2 * loss(0.0), rel=1e-4)  # every ratio is e^3
    assert loss(1e9) == pytest.approx(20.0855 * loss(0.0), rel=1e-4)


def test_splitting_the_passes_changes_nothing_in_distillation(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    credit = SelfDistillation()(
        signals(batch, teaching=teaching(batch, moved(tiny_policy()), "vocabulary"))
    )
    whole = gradients(Learner(), batch, credit)
    monkeypatch.setattr(passes, "PASS_TOKENS", 1)
    torch.testing.assert_close(
        gradients(Learner(), batch, credit)[1], whole[1], atol=1e-6, rtol=1e-4
    )


def test_a_stream_that_is_not_given_costs_nothing(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object) -> None:
        raise AssertionError("whole distributions were made")

    monkeypatch.setattr(learner_module, "distributions_of_rows", never)
    monkeypatch.setattr(learner_module, "completion_pull", never)
    said = teaching(batch, moved(tiny_policy()), "sampled")
    for credit in (
        Imitation()(signals(batch)),
        SelfDistillation(over="sampled", mixing=1.0)(signals(batch, teaching=said)),
    ):
        assert gradients(Learner(), batch, credit)[1], "it moved without either"
