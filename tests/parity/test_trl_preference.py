"""DPO, KTO, ORPO and SimPO equal TRL 1.16's in loss and gradient, pair by pair, on random
batches.
"""

import warnings
from typing import Any

import pytest
import torch
from trl_cases import GROUP, NUM_BATCHES, Case, Found, assert_equal, case, gradients, ours, settings

from factories import tiny_policy
from rewardscope import DPO, KTO, ORPO, Learner, SimPO
from rewardscope.policy import score

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    trl = pytest.importorskip("trl", reason="the peer is not installed: pip install -e '.[parity]'")
    datasets = pytest.importorskip("datasets")
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own
PAIR = {"prompt": "1+2?", "chosen": "3", "rejected": "4"}


def peer(trainer: Any, config: Any, folder: str, row: dict[str, Any] = PAIR, **changes: Any) -> Any:
    """A trainer of the peer over a copy of the tiny model, asked for nothing but its loss."""
    policy = tiny_policy()
    policy.tokenizer.pad_token = policy.tokenizer.pad_token or policy.tokenizer.decode([0])
    references = (
        {"ref_model": tiny_policy().model} if trainer in (trl.DPOTrainer, trl.KTOTrainer) else {}
    )
    made = trainer(
        model=policy.model,
        processing_class=policy.tokenizer,
        train_dataset=datasets.Dataset.from_list([row] * 4),
        args=config(**settings(folder), per_device_train_batch_size=4, **changes),
        **references,
    )
    made.current_gradient_accumulation_steps = 1
    return made


def placed(trainer: Any, case: Case) -> Any:
    """The trainer's model with the case's weights, and its reference with those of the case's."""
    trainer.model.load_state_dict(case.policy.model.state_dict())
    if getattr(trainer, "ref_model", None) is not None:
        trainer.ref_model.load_state_dict(case.reference.model.state_dict())
    trainer.model.train()
    trainer.model.zero_grad(set_to_none=True)
    return trainer.model


def followed_back(loss: torch.Tensor, model: torch.nn.Module) -> Found:
    loss.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach()), gradients(model)


def rows(
    case: Case, prompt_of: list[tuple[int, ...]], members: list[int], prefix: str = ""
) -> dict[str, torch.Tensor]:
    """Prompts with completions, padded on the right, as the peer's collators make them."""
    length_N = case.batch.mask_NT.sum(dim=1).tolist()
    texts = [
        (prompt, case.batch.token_NT[n, : length_N[n]].tolist())
        for prompt, n in zip(prompt_of, members, strict=True)
    ]
    width = max(len(prompt) + len(ids) for prompt, ids in texts)
    pad = [width - len(prompt) - len(ids) for prompt, ids in texts]
    return {
        f"{prefix}input_ids": torch.tensor(
            [[*prompt, *ids, *[0] * p] for (prompt, ids), p in zip(texts, pad, strict=True)]
        ),
        f"{prefix}attention_mask": torch.tensor([[1] * (width - p) + [0] * p for p in pad]),
        f"{prefix}completion_mask": torch.tensor(
            [
                [0] * len(prompt) + [1] * len(ids) + [0] * p
                for (prompt, ids), p in zip(texts, pad, strict=True)
            ]
        ),
    }


def pairs(case: Case) -> tuple[list[int], list[int]]:
    """Every better completion of a group with every worse one."""
    told = case.reward_PG.flatten().tolist()
    found = [
        (n, m)
        for n in range(len(told))
        for m in range(len(told))
        if n // GROUP == m // GROUP and told[n] > told[m]
    ]
    return [n for n, _ in found], [m for _, m in found]


def labelled(case: Case, side: str, members: list[int]) -> dict[str, torch.Tensor]:
    """One side of the pairs as the peer's older collator makes it: labels of -100 off the
    completion.
    """
    made = rows(case, [case.batch.prompt_ids[n // GROUP] for n in members], members)
    return {
        f"{side}_input_ids": made["input_ids"],
        f"{side}_attention_mask": made["attention_mask"],
        f"{side}_labels": made["input_ids"].masked_fill(made["completion_mask"] == 0, -100),
    }


@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_dpo(cases: list[Case], folder: str, beta: float) -> None:
    trainer = peer(trl.DPOTrainer, trl.DPOConfig, folder, beta=beta)
    for each in cases:
        better, worse = pairs(each)
        model = placed(trainer, each)
        inputs = rows(
            each, [each.batch.prompt_ids[n // GROUP] for n in [*better, *worse]], [*better, *worse]
        )
        assert_equal(
            ours(each, Learner(), DPO(beta=beta)),
            followed_back(trainer._compute_loss(model, inputs, False), model),
        )


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 1.33)])
def test_kto(cases: list[Case], folder: str, weights: tuple[float, float]) -> None:
    """The peer's mismatched pairs come from its data set, ours from the step; the test hands it
    ours.
    """
    row = {"prompt": "1+2?", "completion": "3", "label": True}
    trainer = peer(
        trl.KTOTrainer,
        trl.KTOConfig,
        folder,
        row,
        beta=0.1,
        desirable_weight=weights[0],
        undesirable_weight=weights[1],
    )
    some = 0
    for each in cases:
        every = list(range(len(each.batch.token_NT)))
        own = [each.batch.prompt_ids[n // GROUP] for n in every]
        others = [each.batch.prompt_ids[(n // GROUP + 1) % each.batch.num_problems] for n in every]
        behind = each.batch.behind(others, every)
        mismatched_N = (
            score(each.policy, behind).logprob_NT - score(each.reference, behind).logprob_NT
        ).sum(dim=1)
        some += float(mismatched_N.mean()) > 0
        model = placed(trainer, each)
        inputs = (
            rows(each, own, every)
            | rows(each, others, every, "KL_")
            | {"label": each.reward_PG.flatten() >= 0.5}
        )
        mine = ours(each, Learner(), KTO(0.1, 0.5, *weights), mismatched_N=mismatched_N)
        assert_equal(mine, followed_back(trainer._compute_loss(model, inputs, False), model))
    assert 0 < some < NUM_BATCHES, "the clamp at 0 is met, and not always"


def test_simpo(cases: list[Case], folder: str) -> None:
    trainer = peer(
        CPOTrainer, CPOConfig, folder, loss_type="simpo", cpo_alpha=0.0, beta=2.0, simpo_gamma=1.0
    )
    for each in cases:
        better, worse = pairs(each)
        model = placed(trainer, each)
        inputs = labelled(each, "chosen", better) | labelled(each, "rejected", worse)
        assert_equal(
            ours(each, Learner(), SimPO(2.0, 1.0)),
            followed_back(trainer.get_batch_loss_metrics(model, inputs)[0], model),
        )


def test_orpo(folder: str) -> None:
    """The peer takes the likelihood of prompt and completion, over the tokens of all better
    completions together; eq. 6 of the paper takes the completion's, pair by pair, and so do we.
    With prompts of one token and one better completion the two are one.
    """
    trainer = peer(ORPOTrainer, ORPOConfig, folder, beta=0.1)
    for number in range(NUM_BATCHES):
        each = case(number, ("3", "7"), count=1)
        each.reward_PG[0] = torch.tensor([1.0, 0.0, 0.0, 0.0])
        better, worse = pairs(each)
        model = placed(trainer, each)
        inputs = labelled(each, "chosen", better) | labelled(each, "rejected", worse)
        assert_equal(
            ours(each, Learner(), ORPO()),
            followed_back(trainer.get_batch_loss_metrics(model, inputs)[0], model),
        )


def test_orpo_differs_from_the_peer_where_the_paper_does(cases: list[Case], folder: str) -> None:
    trainer = peer(ORPOTrainer, ORPOConfig, folder, beta=0.1)
    better, worse = pairs(cases[0])
    model = placed(trainer, cases[0])
    inputs = labelled(cases[0], "chosen", better) | labelled(cases[0], "rejected", worse)
    other = followed_back(trainer.get_batch_loss_metrics(model, inputs)[0], model)
    with pytest.raises(AssertionError):
        assert_equal(ours(cases[0], Learner(), ORPO()), other)
