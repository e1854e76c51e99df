"""Softmaxes in parts, against one softmax behind a mask; outputs and gradients."""

import pytest
import torch
from torch import Tensor

from factories import FAMILIES, sampled_batch, tiny_policy
from rewardscope.policy import Sampling
from rewardscope.policy.attention import merge, softmax_part
from rewardscope.policy.packing import Rows, arrange, read
from rewardscope.seeds import generator


def drawn(*shape: int) -> Tensor:
    return torch.from_numpy(generator("attention", *shape).normal(size=shape)).float()


def rows_of(segments: list[list[int]]) -> Rows:
    segment = torch.tensor(segments)
    nothing = torch.zeros_like(segment)
    return Rows(nothing, nothing, segment, nothing[0], nothing[0], ())


def behind_a_mask(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> Tensor:
    """(B, S, H, d), as the formula has it."""
    repeats = query.shape[1] // key.shape[1]
    score = query @ key.repeat_interleave(repeats, 1).transpose(2, 3) * scale + mask
    return (score.softmax(-1) @ value.repeat_interleave(repeats, 1)).transpose(1, 2)


def test_two_parts_by_hand() -> None:
    """One query (2, 0), scale 1/2: scores 1 and 0 over two lists of one key with values 10 and 20;
    e / (1 + e) of the first.
    """
    query = torch.tensor([[[[2.0, 0.0]]]])
    first = softmax_part(
        query, torch.tensor([[[[1.0, 5.0]]]]), torch.tensor([[[[10.0, 0.0]]]]), 0.5
    )
    second = softmax_part(
        query, torch.tensor([[[[0.0, 7.0]]]]), torch.tensor([[[[20.0, 0.0]]]]), 0.5
    )
    assert first[1].item() == pytest.approx(1.0) and second[1].item() == pytest.approx(0.0)
    output, mass = merge((first, second))
    share = 2.718281828 / 3.718281828
    assert output[0, 0, 0, 0].item() == pytest.approx(10 * share + 20 * (1 - share), rel=1e-6)
    assert mass.item() == pytest.approx(1.3132617, rel=1e-6)  # log(e + 1)


def test_what_a_gpu_does_is_what_the_cpu_does() -> None:
    query, key, value = drawn(2, 6, 3, 8), drawn(2, 2, 5, 8), drawn(2, 2, 5, 9)[..., :8]
    mask = torch.zeros(2, 1, 1, 5)
    mask[1, ..., 3:] = torch.finfo(torch.float32).min
    single = softmax_part(query, key, value, 0.3, mask)
    double = softmax_part(
        query.double(), key.double(), value.double(), 0.3, mask
    )  # not float32: the way of every other device
    for one, other in zip(single, double, strict=True):
        torch.testing.assert_close(one, other.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "segments",
    [
        [[0, 0, 0, 1, 1, 2, 2, 2]],
        [[0, 0, 0, 0, 1, 1, 1, 2, 3, 3, 3, -1], [0, 0, 1, 2, 2, 2, 2, -1, -1, -1, -1, -1]],
        [[0, 1, 1, 1, 1], [0, 0, 0, 0, 1]],
        [[0, 0, 0, 2, 2], [0, 1, 2, -1, -1]],  # a completion of one token, of which nothing is read
    ],
)
@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_blocks_are_the_mask(segments: list[list[int]], key_heads: int) -> None:
    rows = rows_of(segments)
    mask_R1SS = rows.mask_R1SS()
    assert rows.blocks is not None and mask_R1SS is not None and rows.segment_RS is not None
    shape = rows.segment_RS.shape
    mine, theirs = (
        [drawn(shape[0], h, shape[1], 8).requires_grad_() for h in (4, key_heads, key_heads)]
        for _ in range(2)
    )
    output, expected = (
        rows.blocks.attend(0, *mine, 0.4),
        behind_a_mask(*theirs, mask_R1SS, 0.4),
    )
    real = (rows.segment_RS >= 0)[..., None, None]
    torch.testing.assert_close(output * real, expected * real, atol=1e-5, rtol=1e-5)
    pull = drawn(*output.shape) * real
    found, wanted = (
        torch.autograd.grad(output, mine, pull),
        torch.autograd.grad(expected, theirs, pull),
    )
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_rows_of_prompts_alone_have_no_blocks() -> None:
    assert rows_of([[0, 0, 0], [0, 0, -1]]).blocks is None


@pytest.mark.parametrize("family", [family for family in FAMILIES if tiny_policy(family).blocks])
def test_a_model_reads_blocks_as_it_reads_the_mask_and_so_do_its_gradients(family: str) -> None:
    policy = tiny_policy(family)
    batch = sampled_batch(policy, ["3+4*2-9?", "1+1?"], 3, Sampling(max_tokens=10))
    (rows,) = arrange(batch, "packed", 10_000, policy.device)
    pull = drawn(*read(policy, rows)[rows.row_M, rows.column_M].shape)
    gradients = []
    for way in (True, False):
        object.__setattr__(policy, "blocks", way)  # what was found by trying, overruled
        policy.model.zero_grad()
        (read(policy, rows)[rows.row_M, rows.column_M] * pull).sum().backward()  # type: ignore[no-untyped-call]
        gradients.append(
            {
                name: p.grad.clone()
                for name, p in policy.model.named_parameters()
                if p.grad is not None
            }
        )
    assert gradients[0].keys() == gradients[1].keys()
    for name, one in gradients[0].items():
        torch.testing.assert_close(one, gradients[1][name], atol=2e-4, rtol=1e-3)
