"""Each architecture from sampling to a reloaded checkpoint; and low-rank adapters on each."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, Lfm2Config, MambaConfig

from factories import FAMILIES, PLAIN_FAMILIES, SHAPE, SMALL_ARM, sampled_batch, tiny_policy
from rewardscope.errors import ModelError
from rewardscope.learner.low_rank import LowRank
from rewardscope.organisms import FormatCorpus, Recipe
from rewardscope.policy import Policy, Sampling, sample, score
from rewardscope.policy.packing import choose_layout
from rewardscope.policy.start import Pretrained
from rewardscope.rewards.coin import Coin
from rewardscope.store import CellDirectory
from rewardscope.training import Arm, train

PROMPTS = ["3+4*2-9?", "1+1?"]
SHORT = Sampling(max_tokens=10)


def arm_from(folder: Path, family: str, *, low_rank: LowRank | None = None) -> Arm:
    """Two steps on coin flips from a saved tiny model of the family; a random model has no other
    reward to follow.
    """
    tiny_policy(family).save(folder)
    learner = replace(SMALL_ARM.learner, low_rank=low_rank)
    changes = {
        "start": Pretrained(str(folder)),
        "reward": Coin(),
        "learner": learner,
        "sampling": SHORT,
    }
    return replace(SMALL_ARM, steps=2, checkpoint_every=1, **changes)


@pytest.mark.parametrize("family", [*FAMILIES, *PLAIN_FAMILIES])
def test_sampler_and_scorer_agree_in_the_layout_that_is_chosen(family: str) -> None:
    policy = tiny_policy(family)
    batch = sampled_batch(policy, PROMPTS, 3, SHORT)
    assert choose_layout(policy, batch) == ("plain" if family in PLAIN_FAMILIES else "packed")
    difference = (score(policy, batch).logprob_NT - batch.sampler_logprob_NT)[batch.mask_NT]
    assert difference.abs().max() < 1e-4


@pytest.mark.parametrize("family", [*FAMILIES, *PLAIN_FAMILIES])
def test_a_family_is_trained_saved_and_read_back_to_the_same_bits(
    family: str, tmp_path: Path
) -> None:
    arm, cell = arm_from(tmp_path / "start", family), CellDirectory(tmp_path / "cell")
    trained = train(arm, 0, cell, lambda step: None)
    again = Policy.load(cell.checkpoint(2))
    batch = sampled_batch(trained, PROMPTS, 3, SHORT)
    assert torch.equal(score(trained, batch).logprob_NT, score(again, batch).logprob_NT)
    untrained = score(arm.start.load(), batch).logprob_NT
    assert not torch.equal(score(trained, batch).logprob_NT, untrained)


@pytest.mark.parametrize("family", ["falcon, position biases", "bloom"])
def test_a_family_that_cannot_read_packed_rows_says_so(
    family: str, caplog: pytest.LogCaptureFixture
) -> None:
    policy = tiny_policy(family)
    with caplog.at_level(logging.WARNING):
        assert not policy.packs
    assert type(policy.model).__name__ in caplog.text and "plain rows" in caplog.text


def test_a_window_shorter_than_the_row_is_what_makes_rows_plain() -> None:
    policy = tiny_policy("mistral, short window")
    inside = sampled_batch(policy, ["1+1?"], 3, Sampling(max_tokens=4))
    beyond = sampled_batch(policy, PROMPTS, 3, SHORT)
    assert choose_layout(policy, inside) == "packed"
    packed, plain = (score(policy, inside, layout).logprob_NT for layout in ("packed", "plain"))
    torch.testing.assert_close(packed, plain, atol=1e-4, rtol=0)
    packed, plain = (score(policy, beyond, layout).logprob_NT for layout in ("packed", "plain"))
    assert (packed - plain).abs().max() > 0.1, (
        "the window makes a difference, or this test says nothing"
    )


@pytest.mark.parametrize(
    "config",
    [
        MambaConfig(**SHAPE, hidden_size=16, num_hidden_layers=2),
        Lfm2Config(
            **SHAPE,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            full_attn_idxs=[1],
        ),
    ],
    ids=["mamba", "lfm2"],
)
def test_a_recurrent_model_is_refused_by_name(config: MambaConfig | Lfm2Config) -> None:
    policy = Policy(
        AutoModelForCausalLM.from_config(config).eval(), Recipe(FormatCorpus()).tokenizer()
    )
    with pytest.raises(ModelError, match=type(policy.model).__name__):
        sample(policy, PROMPTS, 2, SHORT, [("test", prompt) for prompt in PROMPTS])


@pytest.mark.parametrize("family", [*FAMILIES, *PLAIN_FAMILIES])
def test_adapters_alone_move_and_the_checkpoint_is_their_sum(family: str, tmp_path: Path) -> None:
    arm, cell = (
        arm_from(tmp_path / "start", family, low_rank=LowRank(rank=2)),
        CellDirectory(tmp_path / "cell"),
    )
    trained = train(arm, 0, cell, lambda step: None)
    start = arm.start.load().model.state_dict()
    weights = trained.model.state_dict()
    assert start.keys() == weights.keys(), "a plain model comes back"
    ranks = {
        name: int(torch.linalg.matrix_rank((weights[name] - start[name]).double(), rtol=1e-4))
        for name in start
        if start[name].ndim == 2
    }
    moved = {name for name in start if not torch.equal(start[name], weights[name])}
    assert (
        moved
        and moved <= ranks.keys()
        and not any("embed" in name or "lm_head" in name or "wte" in name for name in moved)
    )
    assert all(1 <= ranks[name] <= 2 for name in moved)
    batch = sampled_batch(trained, PROMPTS, 3, SHORT)
    assert torch.equal(
        score(trained, batch).logprob_NT, score(Policy.load(cell.checkpoint(2)), batch).logprob_NT
    )
