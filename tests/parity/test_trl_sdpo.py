"""Self-distillation equals TRL 1.16's SDPO in loss and gradient: every divergence, over every set
of tokens, with and without the ratio.
"""

import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch
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
from rewardscope import GroupMean, Learner, SelfDistillation, Teacher

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("trl", reason="the peer is not installed: pip install -e '.[parity]'")
    datasets = pytest.importorskip("datasets")
    from trl.experimental.sdpo import SDPOConfig, SDPOTrainer

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own
SEQUENCE = Learner(normalise="sequence")
MODES = {"vocabulary": "full_logits", "top": "topk_logits", "sampled": "sampled_token"}
TOP = 5


def peer(folder: str, method: SelfDistillation) -> Any:
    """The peer's trainer over a copy of the tiny model, asked for nothing but its loss; its teacher
    is set to the case's.
    """
    policy = tiny_policy()
    policy.tokenizer.pad_token = policy.tokenizer.pad_token or policy.tokenizer.decode([0])
    return SDPOTrainer(
        model=policy.model,
        processing_class=policy.tokenizer,
        reward_funcs=lambda completions, **kwargs: [0.0] * len(completions),
        train_dataset=datasets.Dataset.from_list(
            [{"prompt": "1+2?", "privileged_context": "3"}] * 4
        ),
        args=SDPOConfig(
            **settings(folder),
            per_device_train_batch_size=4 * GROUP,
            num_generations=GROUP,
            max_completion_length=MAX_TOKENS,
            teacher_model_kind="live",
            loss_type="grpo",
            distillation_mode=MODES[method.over],
            distillation_topk=TOP if method.over == "top" else None,
            distillation_add_tail=True,
            distillation_alpha=method.mixing,
            distillation_is_clip=method.most_ratio or None,
            distillation_weight=1.0 if method.base is None else 1 - method.base_share,
        ),
    )


def hints(case: Case) -> list[tuple[int, ...] | None]:
    """Another prompt before each completion's own; the second group has none, and neither has every
    fourth completion.
    """
    prompts = case.batch.prompt_ids
    rows = [
        prompts[(n // GROUP + 1) % len(prompts)] + prompts[n // GROUP]
        for n in range(len(case.batch.token_NT))
    ]
    return [None if n // GROUP == 1 or n % 4 == 3 else row for n, row in enumerate(rows)]


def theirs(trainer: Any, case: Case, advantage_N: torch.Tensor) -> Found:
    batch, found = case.batch, hints(case)
    own = [batch.prompt_ids[n // GROUP] for n in range(len(batch.token_NT))]
    prompt_ids, prompt_mask = padded_left(own)
    hint_ids, hint_mask = padded_left(
        [hint or prompt for hint, prompt in zip(found, own, strict=True)]
    )
    mask_NT = batch.mask_NT.long()
    model = trainer.model
    model.load_state_dict(case.policy.model.state_dict())
    trainer.teacher_model = case.reference.clone().model
    trainer.current_gradient_accumulation_steps = 1
    model.train()
    model.zero_grad(set_to_none=True)
    loss = trainer.compute_loss(
        model,
        {
            "prompt_ids": prompt_ids,
            "prompt_mask": prompt_mask,
            "completion_ids": batch.token_NT,
            "completion_mask": mask_NT,
            "teacher_input_ids": torch.cat([hint_ids, batch.token_NT], dim=1),
            "teacher_attention_mask": torch.cat([hint_mask, mask_NT], dim=1),
            "self_distillation_mask": torch.tensor([hint is not None for hint in found]).long(),
            "old_per_token_logps": batch.sampler_logprob_NT,
            "advantages": advantage_N,
        },
    )
    loss.backward()
    return float(loss.detach()), gradients(model)


def taught(case: Case, method: SelfDistillation) -> Found:
    teaching = (
        Teacher("frozen")
        .begin(case.reference)
        .teach(case.policy, case.batch, hints(case), method.kept)
    )
    return ours(case, SEQUENCE, method, teaching=teaching)


@pytest.mark.parametrize("most_ratio", [0.0, 2.0])
@pytest.mark.parametrize(
    "method",
    [
        *(SelfDistillation(over="vocabulary", mixing=mixing) for mixing in (0.0, 0.5, 1.0)),
        *(SelfDistillation(over="top", top=TOP, mixing=mixing) for mixing in (0.0, 0.5, 1.0)),
        SelfDistillation(over="sampled", mixing=1.0),
    ],
    ids=lambda method: f"{method.over}-{method.mixing}",
)
def test_sdpo(cases: list[Case], folder: str, method: SelfDistillation, most_ratio: float) -> None:
    method = replace(method, most_ratio=most_ratio)
    trainer = peer(folder, method)
    for each in cases:
        assert_equal(
            taught(each, method), theirs(trainer, each, torch.zeros(each.reward_PG.numel()))
        )


def test_sdpo_beside_an_advantage(cases: list[Case], folder: str) -> None:
    method = SelfDistillation(over="vocabulary", mixing=0.5, base=GroupMean(), base_share=0.9)
    trainer = peer(folder, method)
    for each in cases:
        centred_PG = each.reward_PG - each.reward_PG.mean(dim=1, keepdim=True)
        assert_equal(taught(each, method), theirs(trainer, each, centred_PG.flatten()))


def test_another_divergence_is_not_equal(cases: list[Case], folder: str) -> None:
    trainer = peer(folder, SelfDistillation(mixing=0.5))
    other = theirs(trainer, cases[0], torch.zeros(cases[0].reward_PG.numel()))
    with pytest.raises(AssertionError):
        assert_equal(taught(cases[0], SelfDistillation(mixing=1.0)), other)
