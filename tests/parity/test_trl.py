"""Loss and gradient of one update equal TRL 1.16's, on random batches of a tiny model with every edge a group can have.

Where TRL and the paper differ, the comment says which one we follow.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from factories import sampled_batch, tiny_policy
from rewardscope import GroupMean, KLInReward, Learner, LeaveOneOut, Reinforce, Sampling
from rewardscope.credit import Credit
from rewardscope.policy import Policy, score
from rewardscope.seeds import generator
from rewardscope.tensors import Batch, Signals

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    trl = pytest.importorskip("trl", reason="the peer is not installed: pip install -e '.[parity]'")
    datasets = pytest.importorskip("datasets")

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own
PROMPTS = ("1+2?", "3*4-5?", "0-9*8+7-6?")
GROUP, MAX_TOKENS = 4, 9
NUM_BATCHES = 20
RELATIVE = 1e-5


@dataclass(frozen=True)
class Case:
    """One step's worth of tokens and rewards, and the policy before and after somebody moved it."""

    policy: Policy
    reference: Policy
    batch: Batch
    reward_PG: Tensor


def moved(policy: Policy, *address: str | int) -> Policy:
    """The policy with a little noise on every weight, so that ratios to the sampler differ from 1 and some are clipped."""
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(torch.from_numpy(generator("moved", name, *address).normal(0, 0.02, tuple(parameter.shape))))
    return other


def case(number: int) -> Case:
    """Random tokens and rewards; groups that are all right and all wrong, a completion of one token, and truncated ones are in each."""
    sampler = tiny_policy()
    random = generator("parity", number)
    batch = sampled_batch(sampler, [PROMPTS[(number + p) % 3] for p in range(4)], GROUP, Sampling(max_tokens=MAX_TOKENS))
    mask_NT = batch.mask_NT.clone()
    mask_NT[int(random.integers(len(mask_NT))), 1:] = False
    batch = replace(batch, mask_NT=mask_NT, token_NT=batch.token_NT * mask_NT, sampler_logprob_NT=batch.sampler_logprob_NT * mask_NT)
    reward_PG = torch.from_numpy(random.integers(0, 2, size=(4, GROUP))).float()
    reward_PG[0], reward_PG[1] = 1.0, 0.0
    assert (mask_NT.sum(dim=1) == 1).any()
    return Case(moved(sampler, number), moved(sampler, number, "reference"), batch, reward_PG)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case(number) for number in range(NUM_BATCHES)]


def ours(case: Case, learner: Learner, credit: Credit) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradients of one update on the whole batch, from a learner whose rate is 0."""
    policy = case.policy.clone()
    reference_NT = score(case.reference, case.batch, "plain").logprob_NT
    signals = Signals(
        reward_PG=case.reward_PG,
        mask_NT=case.batch.mask_NT,
        sampler_logprob_NT=case.batch.sampler_logprob_NT,
        reference_logprob_NT=reference_NT,
    )
    still = replace(learner, learning_rate=0.0, max_gradient_norm=1e9)
    notes = still.update(policy, still.optimizer(policy), case.batch, credit(signals), reference_NT, MAX_TOKENS, ("parity",))
    return notes["loss"], gradients(policy.model)


def gradients(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def peer_inputs(case: Case) -> dict[str, Any]:
    """The batch as the peer holds it: prompts padded on the left."""
    batch = case.batch
    width = max(map(len, batch.prompt_ids))
    rows = [ids for ids in batch.prompt_ids for _ in range(batch.group_size)]
    return {
        "prompt_ids": torch.tensor([[0] * (width - len(ids)) + list(ids) for ids in rows]),
        "prompt_mask": torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in rows]),
        "completion_ids": batch.token_NT,
        "completion_mask": batch.mask_NT.long(),
        "old_per_token_logps": batch.sampler_logprob_NT,
        "old_logps": batch.sampler_logprob_NT.sum(dim=1),
        "ref_per_token_logps": score(case.reference, batch, "plain").logprob_NT,
        "num_items_in_batch": batch.mask_NT.sum(),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield str(tmp_path_factory.mktemp("trl"))


def peer(kind: str, folder: str, *, beta: float = 0.0, **settings: Any) -> Any:
    """A trainer of the peer over a copy of the tiny model, asked for nothing but its loss.

    ``beta`` is set afterwards: given before, the trainer would load a reference by the model's name, which the tiny model has not.
    """
    policy = tiny_policy()
    policy.tokenizer.pad_token = policy.tokenizer.pad_token or policy.tokenizer.eos_token or policy.tokenizer.decode([0])
    config, trainer = getattr(trl, f"{kind}Config"), getattr(trl, f"{kind}Trainer")
    made = trainer(
        model=policy.model,
        processing_class=policy.tokenizer,
        reward_funcs=lambda completions, **kwargs: [0.0] * len(completions),
        train_dataset=datasets.Dataset.from_list([{"prompt": "1+2?"}] * 4),
        args=config(
            output_dir=folder,
            per_device_train_batch_size=4 * GROUP,
            num_generations=GROUP,
            max_completion_length=MAX_TOKENS,
            use_cpu=True,
            bf16=False,
            report_to="none",
            disable_tqdm=True,
            gradient_checkpointing=False,
            beta=0.0,
            **settings,
        ),
    )
    made.current_gradient_accumulation_steps, made.beta = 1, beta
    return made


def theirs(trainer: Any, case: Case, advantage_N: Tensor) -> tuple[float, dict[str, Tensor]]:
    """The peer's loss and gradients on the case."""
    model = trainer.model
    model.load_state_dict(case.policy.model.state_dict())
    model.train()
    model.zero_grad(set_to_none=True)
    loss = trainer._compute_loss(model, {**peer_inputs(case), "advantages": advantage_N})
    loss.backward()
    return float(loss.detach()), gradients(model)


def assert_equal(mine: tuple[float, dict[str, Tensor]], other: tuple[float, dict[str, Tensor]]) -> None:
    """Losses to 1e-5 of their summands' size, gradients to 1e-5 of the whole gradient's norm, and no matrix off by 1e-4 of its own.

    A loss is a mean of terms of both signs and size 0.25 or more, so its rounding is that of the terms and not of what is left of them.
    """
    assert mine[0] == pytest.approx(other[0], rel=RELATIVE, abs=RELATIVE * 0.25)
    assert mine[1].keys() == other[1].keys()
    size = {name: float(gradient.norm()) for name, gradient in other[1].items()}
    apart = {name: float((mine[1][name] - gradient).norm()) for name, gradient in other[1].items()}
    assert math.hypot(*apart.values()) <= RELATIVE * math.hypot(*size.values())
    largest = max(size.values())
    assert all(apart[name] <= 10 * RELATIVE * max(size[name], 0.05 * largest) for name in size), (apart, size)


def grouped(reward_PG: Tensor, scale: str) -> Tensor:
    """GRPO's advantages as lines 2760 to 2810 of the peer's trainer have them."""
    centred_PG = reward_PG - reward_PG.mean(dim=1, keepdim=True)
    if scale == "group":
        centred_PG = centred_PG / (reward_PG.std(dim=1, keepdim=True) + 1e-4)
    return centred_PG.reshape(-1)


# loss_type of the peer -> our name. Its "grpo" is the paper's mean over completions of means over tokens; its "dapo" divides by the
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
    """The peer's default multiplies the KL by the ratio, as DeepSeek-V3.2 does; we follow the GRPO paper, eq. 4, which does not."""
    trainer = peer(
        "GRPO", folder, loss_type="grpo", scale_rewards="none", use_bias_correction_kl=False, beta=0.1, epsilon=0.1, epsilon_high=0.28
    )
    learner = Learner(normalise="sequence", kl_weight=0.1, kl="k3", clip_low=0.1, clip_high=0.28)
    for each in cases:
        assert_equal(ours(each, learner, GroupMean()), theirs(trainer, each, grouped(each.reward_PG, "none")))


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
        assert_equal(ours(each, learner, GroupMean()), theirs(trainer, each, grouped(each.reward_PG, "none")))


@pytest.mark.parametrize("beta", [0.0, 0.05])
def test_rloo(cases: list[Case], folder: str, beta: float) -> None:
    """The peer's ratio is that of the whole completion, and its KL (k1, in the reward) is against the policy that sampled."""
    trainer = peer("RLOO", folder, beta=beta, normalize_advantages=False)
    learner = Learner(normalise="sequence", ratio="product")
    for each in cases:
        inputs = peer_inputs(each)
        kl_N = ((inputs["old_per_token_logps"] - inputs["ref_per_token_logps"]) * each.batch.mask_NT).sum(dim=1)
        reward_PG = each.reward_PG - beta * kl_N.reshape(each.reward_PG.shape)
        siblings_PG = (reward_PG.sum(dim=1, keepdim=True) - reward_PG) / (GROUP - 1)
        credit = KLInReward(base=LeaveOneOut(), weight=beta) if beta else LeaveOneOut()
        assert_equal(ours(each, learner, credit), theirs(trainer, each, (reward_PG - siblings_PG).reshape(-1)))


def test_the_comparison_can_fail(cases: list[Case], folder: str) -> None:
    trainer = peer("GRPO", folder, loss_type="grpo", scale_rewards="none")
    other = theirs(trainer, cases[0], grouped(cases[0].reward_PG, "none"))
    assert_equal(ours(cases[0], Learner(normalise="sequence"), GroupMean()), other)
    for learner, credit in ((Learner(normalise="token"), GroupMean()), (Learner(normalise="sequence"), Reinforce())):
        with pytest.raises(AssertionError):
            assert_equal(ours(cases[0], learner, credit), other)
