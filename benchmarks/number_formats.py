"""What bfloat16 does to ratios and KL before any update, on SmolLM2-135M-Instruct.

    python benchmarks/number_formats.py           (a CPU will do, in bfloat16 as a GPU has it; 2 to
    5 minutes)

Twelve completions of two prompts are sampled and scored by the same weights. The policy's ratio to
itself should be 1 and its KL to itself 0. The sampler reads one token at a time behind its cache,
the scorer a whole row, and in bfloat16 the two differ.
"""

import torch
from rich.console import Console
from rich.table import Table

from rewardscope import Learner, Precision, Pretrained, Sampling
from rewardscope.policy import Placement, Policy, pack, sample
from rewardscope.tensors import Batch, kl_estimate
from rewardscope.types import Grade, Problem, Rollout

PROMPTS = ("What is 7 + 8?", "Write one short sentence about the sea.")
GSPO_LOW, GSPO_HIGH = 3e-4, 4e-4
FORMATS = (Precision(), Precision("bfloat16"), Precision("bfloat16", float32_head=True))


def sampled(policy: Policy) -> Batch:
    addresses = [("number formats", prompt) for prompt in PROMPTS]
    groups = sample(policy, PROMPTS, 6, Sampling(48), addresses)
    grade = Grade(correct=None, strict=None, well_formed=True)
    rollouts = [
        Rollout(Problem(prompt, "words", prompt, ""), 0, group, (grade,) * len(group))
        for prompt, group in zip(PROMPTS, groups, strict=True)
    ]
    return pack(policy, rollouts, 1.0)


def outside(old_NT: torch.Tensor, now_NT: torch.Tensor, mask_NT: torch.Tensor) -> int:
    """Completions whose sequence ratio lies outside GSPO's clip."""
    mean_N = ((now_NT - old_NT) * mask_NT).sum(1) / mask_NT.sum(1)
    ratio_N = mean_N.exp()
    return int(((ratio_N < 1 - GSPO_LOW) | (ratio_N > 1 + GSPO_HIGH)).sum())


def main() -> None:
    table = Table(
        "weights", "head", "ratio to", "|log-ratio| mean", "max", "outside GSPO's clip", "k3, nats"
    )
    for precision in FORMATS:
        policy = Placement(precision=precision).load(Pretrained("smollm2-135m-instruct").load)
        batch = sampled(policy)
        mask_NT = batch.mask_NT
        scores = [Learner().score(each, batch, ("t", 0)) for each in (policy, policy.clone())]
        for named, old_NT in (("sampler", batch.sampler_logprob_NT), ("own pass", scores[1])):
            apart = (scores[0] - old_NT)[mask_NT]
            table.add_row(
                precision.weights,
                "float32" if precision.float32_head else "as weights",
                named,
                f"{float(apart.abs().mean()):.1e}",
                f"{float(apart.abs().max()):.1e}",
                f"{outside(old_NT, scores[0], mask_NT)} of {len(mask_NT)}",
                f"{float(kl_estimate(scores[0], old_NT, 'k3')[mask_NT].mean()):.1e}",
            )
    Console(highlight=False, width=120).print(table)


if __name__ == "__main__":
    main()
