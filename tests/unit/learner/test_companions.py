"""What learns beside the policy: critic, implicit reward model, reference; and that a kill loses
none of it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from factories import SMALL_ARM, sampled_batch, timeless_steps, tiny_policy
from rewardscope import (
    DPO,
    KTO,
    Coin,
    Critic,
    Curriculum,
    GeneralisedAdvantage,
    GroupMean,
    Imitation,
    ImplicitProcess,
    ImplicitReward,
    KLInReward,
    Learner,
    LeaveOneOut,
    Oracle,
    Planning,
    Reprompt,
    Sampling,
    SelfDistillation,
    Teacher,
)
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.learner import Companions
from rewardscope.learner import learner as learner_module
from rewardscope.learner.implicit import _pair_accuracy
from rewardscope.policy import Policy, pack, score
from rewardscope.policy.scoring import token_states
from rewardscope.store import CellDirectory
from rewardscope.tensors import Batch, TokenCredit
from rewardscope.training import train
from rewardscope.training.signals import mismatched
from rewardscope.types import Completion, Ending, Grade, Problem, Rewards, Rollout

NAN = float("nan")


@pytest.fixture(scope="module")
def batch() -> Batch:
    return sampled_batch(tiny_policy(), ("1+2?", "3*4-5?", "6+7*8-9?"), 4, Sampling(max_tokens=8))


def test_states_are_those_from_which_the_tokens_are_predicted(batch: Batch) -> None:
    """The output layer over the states gives the same logprobs as scoring does."""
    policy = tiny_policy()
    logprob_MV = policy.logits(token_states(policy, batch)).log_softmax(-1)
    token_M = batch.token_NT[batch.mask_NT]
    torch.testing.assert_close(
        logprob_MV.gather(1, token_M[:, None]).squeeze(1).detach(),
        score(policy, batch).logprob_NT[batch.mask_NT],
    )


def test_a_critic_starts_at_zero_and_learns_what_its_states_tell(batch: Batch) -> None:
    policy = tiny_policy()
    before = {name: p.detach().clone() for name, p in policy.model.named_parameters()}
    critic = Critic(learning_rate=0.05, epochs=200).begin(policy)
    value_NT, state_MD = critic.values(policy, batch)
    assert (value_NT == 0).all()
    target_NT = torch.full(batch.mask_NT.shape, NAN)
    target_NT[batch.mask_NT] = state_MD @ torch.linspace(-0.2, 0.2, state_MD.shape[1]) + 0.3
    first = critic.learn(state_MD, target_NT, batch.mask_NT)
    assert critic.learn(state_MD, target_NT, batch.mask_NT) < first / 20
    assert all(torch.equal(before[name], p) for name, p in policy.model.named_parameters())


def test_a_critic_is_taught_nothing_by_what_nobody_knows(batch: Batch) -> None:
    policy = tiny_policy()
    critic = Critic().begin(policy)
    _, state_MD = critic.values(policy, batch)
    assert critic.learn(state_MD, torch.full(batch.mask_NT.shape, NAN), batch.mask_NT) == 0.0
    assert (critic.head.weight == 0).all()


def reference_logprob(batch: Batch) -> Tensor:
    return score(tiny_policy(), batch).logprob_NT


def test_an_implicit_model_starts_with_rewards_of_zero_and_learns_to_order_completions(
    batch: Batch,
) -> None:
    model = ImplicitReward(learning_rate=5e-3, beta=1.0).begin(tiny_policy())
    reference_NT = reference_logprob(batch)
    torch.testing.assert_close(
        model.rewards(batch, reference_NT), torch.zeros(batch.mask_NT.shape), atol=1e-5, rtol=0
    )
    reward_N = torch.tensor([1.0, 0.0, 0.0, 1.0] * 3)
    first = model.learn(batch, reward_N, reference_NT)
    assert first["implicit_loss_nats"] == pytest.approx(0.6931, abs=1e-3)  # ln 2: it knows nothing
    for _ in range(30):
        last = model.learn(batch, reward_N, reference_NT)
    assert last["implicit_loss_nats"] < 0.3 and last["implicit_pair_accuracy"] > 0.9
    total_N = model.rewards(batch, reference_NT).sum(dim=1)
    assert total_N[reward_N == 1].mean() > 0 > total_N[reward_N == 0].mean()


def test_a_frozen_implicit_model_stays_what_it_was(batch: Batch) -> None:
    model = ImplicitReward(frozen=True).begin(tiny_policy())
    model.learn(batch, torch.tensor([1.0, 0.0, NAN, 1.0] * 3), reference_logprob(batch))
    for parameter, untouched in zip(
        model.policy.model.parameters(), tiny_policy().model.parameters(), strict=True
    ):
        assert torch.equal(parameter, untouched)


def test_an_implicit_model_refuses_rewards_that_are_no_outcomes(batch: Batch) -> None:
    with pytest.raises(ComponentError, match=r"outcomes in \[0, 1\]. Got: 2\.0"):
        ImplicitReward().begin(tiny_policy()).learn(
            batch, torch.full((12,), 2.0), reference_logprob(batch)
        )


def test_pairs_within_a_group_by_hand() -> None:
    logit = torch.tensor([0.3, 0.1, 0.3, -1.0, 5.0, 5.0])
    reward = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0, NAN])
    # group 1: (1, 2) right, (1, 3) tied; group 2: no pair, its third was never told
    assert _pair_accuracy(logit, reward, 3) == pytest.approx(0.75)
    assert _pair_accuracy(logit, torch.ones(6), 3) == 0.5


def handmade(*groups: tuple[str, str, tuple[int, ...]]) -> list[Rollout]:
    """A rollout of two completions for each (id, prompt, tokens of its completions)."""
    return [
        Rollout(
            Problem(name * 16, "Chain", prompt, "0"),
            0,
            tuple(
                Completion(
                    "", tuple(n % 9 + 1 for n in range(count)), (-1.0,) * count, Ending.LENGTH
                )
                for count in counts
            ),
            (Grade(None, None, False),) * 2,
        )
        for name, prompt, counts in groups
    ]


def test_a_completion_is_mismatched_with_the_next_group_of_another_problem() -> None:
    policy, reference = tiny_policy(), tiny_policy("qwen2")
    groups = handmade(("a", "1+2?", (3, 2)), ("a", "1+2?", (1, 4)), ("b", "3*4-5?", (2, 2)))
    crossed = handmade(("a", "3*4-5?", (3, 2)), ("a", "3*4-5?", (1, 4)), ("b", "1+2?", (2, 2)))
    found_N = mismatched(
        policy, reference, pack(policy, groups, 1.0), [group.problem.id for group in groups]
    )
    batch = pack(policy, crossed, 1.0)
    expected_NT = score(policy, batch).logprob_NT - score(reference, batch).logprob_NT
    torch.testing.assert_close(found_N, expected_NT.sum(dim=1), atol=1e-4, rtol=1e-4)


def test_a_step_of_one_problem_has_no_mismatched_prompt() -> None:
    policy, groups = tiny_policy(), handmade(("a", "1+2?", (3, 2)), ("a", "1+2?", (1, 4)))
    with pytest.raises(
        ComponentError,
        match=r"all groups of the step have the same one\. Got: 2 groups of problem aaaa",
    ):
        mismatched(
            policy, policy, pack(policy, groups, 1.0), [group.problem.id for group in groups]
        )


def test_a_mismatched_prompt_that_does_not_fit_the_context_is_refused_with_both_problems() -> None:
    policy, groups = tiny_policy(), handmade(("a", "1" * 100, (20, 28)), ("b", "1?", (28, 29)))
    with pytest.raises(
        ComponentError,
        match=r"Got: 100 \+ 29 tokens, problem b{16} behind a{16}. Allowed: 128 tokens",
    ):
        mismatched(
            policy, policy, pack(policy, groups, 1.0), [group.problem.id for group in groups]
        )


ARM = replace(SMALL_ARM, steps=3, checkpoint_every=1)
BESIDE = {
    "critic": replace(
        ARM, credit=GeneralisedAdvantage(), learner=Learner(learning_rate=3e-4, critic=Critic())
    ),
    "implicit": replace(
        ARM,
        credit=ImplicitProcess(),
        learner=Learner(learning_rate=3e-4, implicit=ImplicitReward()),
    ),
    "reference": replace(ARM, credit=KLInReward(base=LeaveOneOut(), weight=0.5)),
    "moved reference": replace(
        ARM, learner=Learner(learning_rate=3e-4, kl_weight=0.5, kl="k2", reset_every=2)
    ),
    "planning": replace(ARM, credit=Planning(("s", "t", "g"), where="entropy")),
    "preference": replace(
        ARM,
        reward=Coin(),
        completions_per_problem=6,
        credit=DPO(pairs="one"),
        learner=Learner(3e-4, reset_every=2),
    ),
    "mismatched prompts": replace(ARM, credit=KTO()),
    "teacher": replace(
        ARM,
        reward=Coin(),
        credit=SelfDistillation(
            Reprompt(template="{solution}{prompt}", solution_section="{solution}")
        ),
        learner=Learner(3e-4, teacher=Teacher("average", 0.2)),
    ),
    "restart": replace(
        ARM, credit=Imitation(distinct=True), learner=Learner(3e-4, restart_every=1, epochs=2)
    ),
    "demonstrations": replace(
        ARM, credit=Imitation(), demonstrations=Oracle(), completions_per_problem=1
    ),
    "curriculum": replace(ARM, regime=Curriculum(3, rest=1)),
    "sampling rounds": replace(ARM, sampling_rounds=3),
    "sequence ratio": replace(
        ARM,
        learner=Learner(learning_rate=3e-4, ratio="sequence", minibatches=2, normalise="active"),
    ),
}


class Interrupted(Exception):
    pass


def policy_bits(policy: Policy) -> dict[str, Tensor]:
    return dict(policy.model.state_dict())


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_arm_goes_on_to_the_same_bits(
    beside: str, after: int, tmp_path: Path
) -> None:
    arm = BESIDE[beside]

    def stop(done: int) -> None:
        if done == after:
            raise Interrupted

    whole, cut = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "cut")
    expected = train(arm, 0, whole, lambda done: None)
    with pytest.raises(Interrupted):
        train(arm, 0, cut, stop)
    found = train(arm, 0, cut, lambda done: None)
    torch.testing.assert_close(policy_bits(found), policy_bits(expected), atol=0.0, rtol=0.0)
    assert timeless_steps(cut) == timeless_steps(whole)


def test_a_reset_brings_the_reference_to_the_policy_and_forgets_the_optimizer() -> None:
    learner = Learner(kl_weight=0.1, reset_every=1)
    policy = tiny_policy("gpt2")
    companions = Companions.begin(learner, policy, lambda: tiny_policy("gpt2"), reference=False)
    assert companions.reference is not None
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter.add_(0.01)
    old = companions.optimizer
    companions.reset(learner, policy)
    assert companions.optimizer is not old
    assert companions.reference is not policy
    torch.testing.assert_close(
        policy_bits(companions.reference), policy_bits(policy), atol=0.0, rtol=0.0
    )


def test_nothing_is_kept_that_nobody_asked_for() -> None:
    companions = Companions.begin(Learner(), tiny_policy(), tiny_policy, reference=False)
    assert (companions.reference, companions.critic, companions.implicit, companions.teacher) == (
        None,
        None,
        None,
        None,
    )


def test_a_restart_brings_the_weights_back_and_forgets_the_optimizer() -> None:
    learner, policy = Learner(restart_every=1), tiny_policy("gpt2")
    companions = Companions.begin(learner, policy, lambda: tiny_policy("gpt2"), reference=False)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter.add_(0.01)
    old = companions.optimizer
    companions.restart(learner, policy, tiny_policy("gpt2"))
    assert companions.optimizer is not old
    torch.testing.assert_close(
        policy_bits(policy), policy_bits(tiny_policy("gpt2")), atol=0.0, rtol=0.0
    )


CANNOT_SERVE = [
    (GeneralisedAdvantage(), "critic"),
    (ImplicitProcess(), "implicit"),
    (SelfDistillation(), "teacher"),
]


@pytest.mark.parametrize(("credit", "part"), CANNOT_SERVE)
def test_a_credit_that_the_learner_cannot_serve_is_refused(credit: Any, part: str) -> None:
    with pytest.raises(ComponentError, match=rf"Learner\({part}=\.\.\.\)"):
        replace(ARM, credit=credit)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_reward_that_is_no_number_stops_the_run_and_names_the_problem(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Coin, "__call__", lambda self, view, address: Rewards((value, 0.0, 1.0)))
    with pytest.raises(
        RewardscopeError,
        match=r"Coin returned a reward that is not finite. Got: (inf|nan) for problem "
        r"[0-9a-f]{16}",
    ):
        train(replace(ARM, reward=Coin()), 0, CellDirectory(tmp_path), lambda done: None)


def test_an_advantage_that_is_no_number_stops_the_run_and_names_the_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        GroupMean, "__call__", lambda self, signals: TokenCredit(signals.mask_NT / torch.zeros(()))
    )
    cell = CellDirectory(tmp_path)
    with pytest.raises(
        ComponentError,
        match=r"credit that is not a number. Got: problem [0-9a-f]{16}; arm 'truth' with "
        r"GroupMean, seed 0, step 0",
    ):
        train(ARM, 0, cell, lambda done: None)
    assert cell.step_file("rollouts", 0).is_file()  # written first, so that it can be looked at


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = CellDirectory(tmp_path)

    def spoil(done: int) -> None:
        monkeypatch.setattr(
            learner_module, "clipped_surrogate", lambda ratio, *rest: (ratio * torch.nan, ratio > 0)
        )

    with pytest.raises(
        ComponentError, match=r"The loss is not a number. Got: nan at \('train', 0, 1\)"
    ):
        train(ARM, 0, cell, spoil)
    assert cell.checkpoints() == [1]
