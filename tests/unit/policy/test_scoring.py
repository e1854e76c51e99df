from dataclasses import replace

import pytest
import torch
from torch import Tensor

from factories import FAMILIES, sampled_batch, tiny_policy
from rewardscope.errors import RewardscopeError
from rewardscope.policy import Policy, Sampling, head, packing, score, scoring
from rewardscope.policy.packing import Layout, arrange, choose_layout
from rewardscope.policy.scoring import score_rows
from rewardscope.seeds import generator
from rewardscope.tensors import Batch

PROMPTS = ["1+2?", "3*4-5?", "0-9*8+7-6?"]
SAMPLING = Sampling(max_tokens=20)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def batch(planted: Policy) -> Batch:
    return sampled_batch(planted, PROMPTS, 4, SAMPLING)


def by_hand(policy: Policy, batch: Batch) -> tuple[Tensor, Tensor]:
    """One completion at a time through the whole model."""
    logprob_NT, entropy_NT = torch.zeros(batch.token_NT.shape), torch.zeros(batch.token_NT.shape)
    for n, length in enumerate(batch.mask_NT.sum(dim=1).tolist()):
        prompt = list(batch.prompt_ids[n // batch.group_size])
        ids = torch.tensor([prompt + batch.token_NT[n, :length].tolist()])
        with torch.no_grad():
            logits = policy.model(input_ids=ids).logits[0, len(prompt) - 1 : -1] / batch.temperature
        spread = torch.distributions.Categorical(logits=logits)
        logprob_NT[n, :length] = spread.log_prob(batch.token_NT[n, :length])
        entropy_NT[n, :length] = spread.entropy()
    return logprob_NT, entropy_NT


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_scores_the_same_packed_plain_and_by_hand(family: str) -> None:
    policy = tiny_policy(family)
    batch = sampled_batch(policy, PROMPTS, 3, Sampling(max_tokens=10, temperature=0.7))
    logprob_NT, entropy_NT = by_hand(policy, batch)
    for layout in ("packed", "plain"):
        scores = score(policy, batch, layout)
        torch.testing.assert_close(scores.logprob_NT, logprob_NT, atol=1e-4, rtol=0.0)
        torch.testing.assert_close(scores.entropy_NT, entropy_NT, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(batch.sampler_logprob_NT, logprob_NT, atol=1e-4, rtol=0.0)


def test_the_sampler_and_both_layouts_agree_on_the_organism(planted: Policy, batch: Batch) -> None:
    packed, plain = score(planted, batch, "packed"), score(planted, batch, "plain")
    torch.testing.assert_close(packed.logprob_NT, plain.logprob_NT, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(packed.entropy_NT, plain.entropy_NT, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(batch.sampler_logprob_NT, packed.logprob_NT, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(packed.logprob_NT, by_hand(planted, batch)[0], atol=1e-4, rtol=0.0)


def test_nothing_is_said_off_the_mask(planted: Policy, batch: Batch) -> None:
    assert not batch.mask_NT.all()
    scores = score(planted, batch)
    assert (scores.logprob_NT[~batch.mask_NT] == 0).all()
    assert (scores.entropy_NT[~batch.mask_NT] == 0).all()


@pytest.mark.parametrize("row_tokens", [1, 40])
def test_splitting_a_packed_row_changes_no_result(
    planted: Policy, batch: Batch, monkeypatch: pytest.MonkeyPatch, row_tokens: int
) -> None:
    whole = score(planted, batch, "packed").logprob_NT
    monkeypatch.setattr(packing, "ROW_TOKENS", row_tokens)
    assert sum(len(rows.input_RS) for rows in arrange(batch, "packed", 10**6, CPU)) > len(PROMPTS)
    torch.testing.assert_close(
        score(planted, batch, "packed").logprob_NT, whole, atol=1e-5, rtol=0.0
    )


@pytest.mark.parametrize("layout", ["packed", "plain"])
def test_passes_hold_every_completion_once_and_no_more_tokens_than_allowed(
    batch: Batch, layout: packing.Layout
) -> None:
    passes = arrange(batch, layout, 200, CPU)
    assert len(passes) > 1
    assert [n for rows in passes for n in rows.members] == list(range(12))
    assert all(rows.num_tokens <= 200 for rows in passes)
    assert [len(rows.row_M) for rows in passes] == [
        int(batch.mask_NT[list(rows.members)].sum()) for rows in passes
    ]


def test_a_packed_row_by_hand() -> None:
    """Prompt of 3, completions of 3 and 2 tokens: their last tokens predict nothing, so the row
    reads 2 and 1 of them.
    """
    batch = Batch(
        prompt_ids=((7, 8, 9),),
        token_NT=torch.tensor([[1, 2, 4], [3, 5, 0]]),
        mask_NT=torch.tensor([[True, True, True], [True, True, False]]),
        sampler_logprob_NT=torch.zeros(2, 3),
        group_size=2,
        temperature=1.0,
    )
    (rows,) = arrange(batch, "packed", 100, CPU)
    assert rows.input_RS.tolist() == [[7, 8, 9, 1, 2, 3]]
    assert rows.position_RS.tolist() == [[0, 1, 2, 3, 4, 3]]
    assert (rows.row_M.tolist(), rows.column_M.tolist()) == ([0] * 5, [2, 3, 4, 2, 5])
    mask_R1SS = rows.mask_R1SS()
    assert mask_R1SS is not None
    assert (mask_R1SS[0, 0] == 0).int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0],
        [1, 1, 1, 0, 0, 1],
    ]


@pytest.mark.parametrize("layout", ["packed", "plain"])
def test_a_completion_of_one_token_reads_the_prompt_alone(layout: Layout) -> None:
    mask = torch.tensor([[True, False], [True, True]])
    batch = Batch(((7, 8),), torch.tensor([[1, 0], [2, 3]]), mask, mask.float(), 2, 1.0)
    passes = arrange(batch, layout, 100, CPU)
    read = [row for rows in passes for row in rows.input_RS.tolist()]
    assert read == ([[7, 8, 2]] if layout == "packed" else [[7, 8, 0], [7, 8, 2]])
    assert [column for rows in passes for column in rows.column_M.tolist()] == [1, 1, 2]


def test_the_cheaper_layout_is_chosen(planted: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    def group(prompt_tokens: int, completion_tokens: int) -> Batch:
        mask = torch.ones(8, completion_tokens, dtype=torch.bool)
        return Batch(((1,) * prompt_tokens,), mask.long(), mask, mask.float(), 8, 1.0)

    assert choose_layout(planted, group(100, 4)) == "packed"
    assert choose_layout(planted, group(1, 200)) == "packed"
    monkeypatch.setitem(vars(planted), "blocks", False)
    assert choose_layout(planted, group(100, 4)) == "packed"
    assert choose_layout(planted, group(1, 200)) == "plain", (
        "behind a mask every completion is compared with every other"
    )


SETTINGS: dict[str, dict[str, object]] = {
    "chunks": {"head.CHUNK_NUMBERS": 22 * 7},
    "probabilities computed again": {"head.CHUNK_NUMBERS": 22 * 7, "head.KEPT_NUMBERS": 0},
    "through the library": {"scoring.plain_head": lambda head: None},
    "through the library, in chunks": {
        "scoring.plain_head": lambda head: None,
        "scoring.LOGIT_NUMBERS": 22 * 7,
    },
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_every_way_through_the_head_gives_the_same_numbers_and_the_same_gradient(
    planted: Policy,
    batch: Batch,
    settings: dict[str, object],
    temperature: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def scored() -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        policy = planted.clone()
        (rows,) = arrange(batch, "packed", 10**6, CPU)
        logprob_M, entropy_M = score_rows(policy, rows, replace(batch, temperature=temperature))
        (logprob_M * torch.linspace(-1, 1, len(logprob_M))).sum().backward()
        return (
            logprob_M.detach(),
            entropy_M,
            {n: p.grad for n, p in policy.model.named_parameters() if p.grad is not None},
        )

    whole = scored()
    for place, value in settings.items():
        module, name = place.split(".")
        monkeypatch.setattr({"head": head, "scoring": scoring}[module], name, value)
    torch.testing.assert_close(scored(), whole, atol=2e-5, rtol=1e-4)


def test_the_gradient_of_the_head_is_right_to_the_last_digit() -> None:
    """Against the library's own autograd, in float64."""
    token_M, pull_M = (
        torch.tensor([0, 6, 3, 3, 1]),
        torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0], dtype=torch.float64),
    )
    found = []
    for ours in (True, False):
        hidden_MD = torch.from_numpy(generator("hidden").normal(size=(5, 3))).requires_grad_()
        weight_VD = torch.from_numpy(generator("weight").normal(size=(7, 3))).requires_grad_()
        if ours:
            logprob_M, _ = head.HeadScores.apply(hidden_MD, weight_VD, token_M, 0.8)
        else:
            logprob_M = (
                (hidden_MD @ weight_VD.T / 0.8)
                .log_softmax(-1)
                .gather(1, token_M[:, None])
                .squeeze(1)
            )
        (pull_M * logprob_M).sum().backward()
        found.append((logprob_M.detach(), hidden_MD.grad, weight_VD.grad))
    torch.testing.assert_close(found[0], found[1], atol=1e-14, rtol=1e-13)


def test_the_gradient_of_the_head_can_be_asked_for_once() -> None:
    hidden_MD = torch.ones(2, 3, requires_grad=True)
    logprob_M, _ = head.HeadScores.apply(hidden_MD, torch.ones(4, 3), torch.tensor([0, 1]), 1.0)
    logprob_M.sum().backward(retain_graph=True)
    with pytest.raises(RewardscopeError, match="asked for twice"):
        logprob_M.sum().backward()


def test_entropy_carries_no_gradient(planted: Policy, batch: Batch) -> None:
    (rows,) = arrange(batch, "plain", 10**6, CPU)
    logprob_M, entropy_M = score_rows(planted, rows, batch)
    assert logprob_M.requires_grad
    assert not entropy_M.requires_grad
