"""Loss and gradient of one update equal TRL 1.16's, on random batches of a tiny model with every
edge a group can have.

Where TRL and the paper differ, the comment says which one we follow.
"""

import warnings
from typing import Any

import pytest
from torch import Tensor
from trl_cases import (
    GROUP,
    MAX_TOKENS,
    Case,
    Found,
    assert_equal,
    gradients,
    ours,
    padded_left,
    settings,
)

from factories import tiny_policy
from rewardscope import GroupMean, KLInReward, Learner, LeaveOneOut, Reinforce
from rewardscope.policy import score

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    trl = pytest.importorskip("trl", reason="the peer is not installed: pip install -e '.[parity]'")
    datasets = pytest.importorskip("datasets")

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own


def peer_inputs(case: Case) -> dict[str, Any]:
    """The batch as the peer holds it: prompts padded on the left."""
    batch = case.batch
    prompt_ids, prompt_mask = padded_left(
        [ids for ids in batch.prompt_ids for _ in range(batch.group_size)]
    )
    return {
        "prompt_ids": prompt_ids,
        "prompt_mask": prompt_mask,
        "completion_ids": batch.token_NT,
        "completion_mask": batch.mask_NT.long(),
        "old_per_token_logps": batch.sampler_logprob_NT,
        "old_logps": batch.sampler_logprob_NT.sum(dim=1),
        "ref_per_token_logps": score(case.reference, batch, "plain").logprob_NT,
        "num_items_in_batch": batch.mask_NT.sum(),
    }


def peer(kind: str, folder: str, *, beta: float = 0.0, **changes: Any) -> Any:
    """A trainer of the peer over a copy of the tiny model, asked for nothing but its loss.

    ``beta`` is set afterwards: given before, the trainer would load a reference by the model's
    name, which the tiny model has not.
    """
    policy = tiny_policy()
    policy.tokenizer.pad_token = (
        policy.tokenizer.pad_token or policy.tokenizer.eos_token or policy.tokenizer.decode([0])
    )
    config, trainer = getattr(trl, f"{kind}Config"), getattr(trl, f"{kind}Trainer")
    made = trainer(
        model=policy.model,
        processing_class=policy.tokenizer,
        reward_funcs=lambda completions, **kwargs: [0.0] * len(completions),
        train_dataset=datasets.Dataset.from_list([{"prompt": "1+2?"}] * 4),
        args=config(
            **settings(folder),
            per_device_train_batch_size=4 * GROUP,
            num_generations=GROUP,
            max_completion_length=MAX_TOKENS,
            beta=0.0,
            **changes,
        ),
    )
    made.current_gradient_accumulation_steps, made.beta = 1, beta
    return made


def theirs(trainer: Any, case: Case, advantage_N: Tensor) -> Found:
    """The peer's loss and gradients on the case."""
    model = trainer.model
    model.load_state_dict(case.policy.model.state_dict())
    model.train()
    model.zero_grad(set_to_none=True)
    loss = trainer._compute_loss(model, {**peer_inputs(case), "advantages": advantage_N})
    loss.backward()
    return float(loss.detach()), gradients(model)


def grouped(reward_PG: Tensor, scale: str) -> Tensor:
    """GRPO's advantages as lines 2760 to 2810 of the peer's trainer have them."""
    centred_PG = reward_PG - reward_PG.mean(dim=1, keepdim=True)
    if scale == "group":
        centred_PG = centred_PG / (reward_PG.std(dim=1, keepdim=True) + 1e-4)
    return centred_PG.reshape(-1)


# loss_type of the peer -> our name. Its "grpo" is the paper's mean over completions of means over
# tokens; its "dapo" divides by the
# tokens of the whole generation batch, which with one accumulation step is "bnpo".
LOSS_TYPES = {"grpo": "sequence", "bnpo": "token", "dapo": "token", "dr_grpo": "constant"}


@pytest.mark.parametrize("scale", ["none", "group"])
@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_grpo(cases: list[Case], folder: str, loss_type: str, scale: str) -> None:
    trainer = peer("GRPO", folder, loss_type=loss_type, scale_rewards=scale)
    learner = Learner(normalise=LOSS_TYPES[loss_type])  # type: ignore[arg-type]
    for each in cases:
        mine = ours(each, learner, GroupMean(divide_by_std=scale == "group"))
        assert_equal(mine, theirs(trainer, each, grouped(each.reward_PG, scale)))


def test_grpo_with_a_kl_in_the_loss_and_two_clips(cases: list[Case], folder: str) -> None:
    """The peer's default multiplies the KL by the ratio, as DeepSeek-V3.2 does; we follow the GRPO
    paper, eq. 4, which does not.
    """
    trainer = peer(
        "GRPO",
        folder,
        loss_type="grpo",
        scale_rewards="none",
        use_bias_correction_kl=False,
        beta=0.1,
        epsilon=0.1,
        epsilon_high=0.28,
    )
    learner = Learner(normalise="sequence", kl_weight=0.1, kl="k3", clip_low=0.1, clip_high=0.28)
    for each in cases:
        assert_equal(
            ours(each, learner, GroupMean()), theirs(trainer, each, grouped(each.reward_PG, "none"))
        )


def test_gspo(cases: list[Case], folder: str) -> None:
    trainer = peer(
        "GRPO",
        folder,
        loss_type="grpo",
        scale_rewards="none",
        beta=0.0,
        importance_sampling_level="sequence",
        epsilon=3e-2,
        epsilon_high=4e-2,
    )
    learner = Learner(normalise="sequence", ratio="sequence", clip_low=3e-2, clip_high=4e-2)
    for each in cases:
        assert_equal(
            ours(each, learner, GroupMean()), theirs(trainer, each, grouped(each.reward_PG, "none"))
        )


@pytest.mark.parametrize("beta", [0.0, 0.05])
def test_rloo(cases: list[Case], folder: str, beta: float) -> None:
    """The peer's ratio is that of the whole completion, and its KL (k1, in the reward) is against
    the policy that sampled.
    """
    trainer = peer("RLOO", folder, beta=beta, normalize_advantages=False)
    learner = Learner(normalise="sequence", ratio="product")
    for each in cases:
        inputs = peer_inputs(each)
        kl_N = (
            (inputs["old_per_token_logps"] - inputs["ref_per_token_logps"]) * each.batch.mask_NT
        ).sum(dim=1)
        reward_PG = each.reward_PG - beta * kl_N.reshape(each.reward_PG.shape)
        siblings_PG = (reward_PG.sum(dim=1, keepdim=True) - reward_PG) / (GROUP - 1)
        credit = KLInReward(base=LeaveOneOut(), weight=beta) if beta else LeaveOneOut()
        assert_equal(
            ours(each, learner, credit),
            theirs(trainer, each, (reward_PG - siblings_PG).reshape(-1)),
        )


def test_the_comparison_can_fail(cases: list[Case], folder: str) -> None:
    trainer = peer("GRPO", folder, loss_type="grpo", scale_rewards="none")
    other = theirs(trainer, cases[0], grouped(cases[0].reward_PG, "none"))
    assert_equal(ours(cases[0], Learner(normalise="sequence"), GroupMean()), other)
    for learner, credit in (
        (Learner(normalise="token"), GroupMean()),
        (Learner(normalise="sequence"), Reinforce()),
    ):
        with pytest.raises(AssertionError):
            assert_equal(ours(cases[0], learner, credit), other)
