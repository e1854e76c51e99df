"""One step of an arm on coin flips, many times from its start: with the clip, without it, and with
variants of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.learner.learner import Learner
from rewardscope.policy import Policy, pack
from rewardscope.probes.clip_bias import WHOLE, ClipBias, Record, changes_of, drifts, means
from rewardscope.protocols import Reward
from rewardscope.rewards import tell
from rewardscope.rewards.coin import Coin
from rewardscope.seeds import Address
from rewardscope.tensors import Batch, Signals
from rewardscope.training import Arm, roll_out
from rewardscope.types import Rollout

REPLICATES = 32
WIDE = 1e9
"""A clip this high never cuts."""
CLIPPED, UNCLIPPED = "clip", "no clip"
CLIP_SHARE, NORM = "tokens cut, share", "norm of the update"


def kinds(learner: Learner) -> dict[str, Learner]:
    """The updates that are compared: the learner's own; the same without its clip; with a clip that
    is symmetric in the logarithm of the ratio, down to 1 / (1 + clip_high); and one unclipped
    update over all at the summed rate, where every ratio is 1.
    """
    plain = replace(learner, kl_weight=0.0)
    updates = learner.minibatches * learner.epochs
    return {
        CLIPPED: plain,
        UNCLIPPED: replace(plain, clip_low=1.0, clip_high=WIDE),
        "log-symmetric clip": replace(plain, clip_low=1 - 1 / (1 + learner.clip_high)),
        "one update": replace(
            plain, minibatches=1, epochs=1, learning_rate=learner.learning_rate * updates
        ),
    }


def clip_bias(
    arm: Arm,
    replicates: int = REPLICATES,
    device: str = "cpu",
    on_replicate: Callable[[int], None] = lambda _: None,
) -> ClipBias:
    """What the arm's first step does on average when its rewards are coin flips.

    Replicate r is the first step of seed r, with its problems, completions and flips. All kinds of
    update use the same ones, each on a clone of the untrained policy. The arm's own reward is
    replaced by its coin, or one of p = 0.5. Its KL term is left out, so that only the clip differs.
    Under group baselines the expected first-order push of an unclipped update is then 0 at every
    token.

    Args:
        arm: Start, environment, sampling, regime, credit and learner.
        replicates: R >= 2; more of them narrow the intervals.
        device: Where the policy lives.
        on_replicate: Called with the number done.

    Raises:
        ComponentError: If the credit reads more than rewards, or there are fewer than two
            replicates.

    Source:
        Shao et al. 2025, arXiv:2506.10947, appendix B.1.
    """
    if arm.credit.needs or arm.demonstrations is not None or replicates < 2:
        raise ComponentError(
            "The clip's bias is measured over several replicates of sampled completions, with "
            "credit from rewards alone",
            value=f"credit={arm.credit}, demonstrations={arm.demonstrations}, "
            f"replicates={replicates}",
            allowed="credit methods that need no signal except rewards, such as GroupMean; no "
            "demonstrations; 2 or more replicates",
            do="Choose another arm",
        )
    policy = arm.start.load(device)
    coin = arm.reward if isinstance(arm.reward, Coin) else Coin()
    learners = kinds(arm.learner)
    records: dict[str, list[Record]] = {kind: [] for kind in learners}
    untouched = True
    for seed in range(replicates):
        groups, addresses = _groups(arm, policy, seed)
        batch = pack(policy, groups, arm.sampling.temperature)
        flips_PG = _told(coin, groups, addresses)
        for kind, learner in learners.items():
            after, notes = _moved(arm, learner, policy, batch, flips_PG, seed)
            records[kind].append(means(changes_of(policy, after, batch)) | notes)
        if seed == 0:
            alike_PG = _told(Coin(p=0.0), groups, addresses)
            untouched = (
                _moved(arm, learners[CLIPPED], policy, batch, alike_PG, seed)[1][NORM, WHOLE] == 0
            )
        on_replicate(seed + 1)
    against = {
        kind: [
            {name: value - other[name] for name, value in mine.items()}
            for mine, other in zip(replicas, records[UNCLIPPED], strict=True)
        ]
        for kind, replicas in records.items()
        if kind != UNCLIPPED
    }
    return ClipBias(
        {kind: drifts(replicas) for kind, replicas in records.items()},
        {kind: drifts(replicas) for kind, replicas in against.items()},
        untouched,
    )


def _groups(arm: Arm, policy: Policy, seed: int) -> tuple[list[Rollout], list[tuple[Address, ...]]]:
    """The completions of the seed's first step, and their addresses."""
    indices = arm.regime.indices(seed, 0, arm.problems_per_step, {})
    problems = [arm.environment.problem("train", index) for index in indices]
    addresses: list[tuple[Address, ...]] = [
        ("train", seed, 0, index) for index in range(len(problems))
    ]
    return roll_out(
        policy, arm.environment, problems, arm.completions_per_problem, arm.sampling, 0, addresses
    ), addresses


def _told(
    reward: Reward, groups: Sequence[Rollout], addresses: Sequence[tuple[Address, ...]]
) -> Tensor:
    """Rewards of the groups (P, G)."""
    return torch.tensor(
        [
            tell(reward, group, address).rewards
            for group, address in zip(groups, addresses, strict=True)
        ]
    )


def _moved(
    arm: Arm, learner: Learner, policy: Policy, batch: Batch, reward_PG: Tensor, seed: int
) -> tuple[Policy, Record]:
    """A clone of the policy after the step, with the share of tokens cut and how far the weights
    moved.
    """
    address: tuple[Address, ...] = ("train", seed, 0)
    credit = arm.credit(
        Signals(
            reward_PG=reward_PG,
            mask_NT=batch.mask_NT,
            sampler_logprob_NT=batch.sampler_logprob_NT,
            token_NT=batch.token_NT,
            address=address,
        )
    )
    moved = learner.prepared(policy.clone())
    notes = learner.update(
        moved, learner.optimizer(moved), batch, credit, None, arm.sampling.max_tokens, address
    )
    after = learner.plain(moved)
    before = dict(policy.model.named_parameters())
    square = sum(
        float((now - before[name]).detach().double().square().sum())
        for name, now in after.model.named_parameters()
    )
    return after, {(CLIP_SHARE, WHOLE): notes["clip_share"], (NORM, WHOLE): square**0.5}
