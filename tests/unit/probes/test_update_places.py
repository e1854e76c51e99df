"""Where updates lie: angles, spectra, masks, layers and kinds, and the nulls beside them."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from factories import FAMILIES, tiny_policy
from rewardscope.policy.weights import PolicyWeights, largest
from rewardscope.probes.geometry import ALPHA, Geometry, Untrained
from rewardscope.probes.matrix_names import UNKNOWN, kind_of, layer_of
from rewardscope.probes.nulls import BLOCK, SMALL, resigned, shuffled
from rewardscope.probes.spectra import directions, principal_angles
from rewardscope.probes.weight_change import CHUNK, by_layer_and_kind, change_of, changes, tally
from rewardscope.seeds import generator


def normal(*address: str | int, shape: tuple[int, ...] = (192, 128), scale: float = 1.0) -> Tensor:
    return torch.from_numpy(generator("update places", *address).normal(0, scale, shape)).float()


def turned(matrix: Tensor, first: int, second: int, degrees: float) -> Tensor:
    """The matrix with two of its left singular directions turned into each other, its singular
    values left as they are.
    """
    left, value, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    one, two = left[:, first].clone(), left[:, second].clone()
    left[:, first], left[:, second] = cos * one + sin * two, cos * two - sin * one
    return (left * value @ right).float()


def planted() -> Tensor:
    """Singular values 40, 39, ... 25 for the first 16 directions and then 1 and less: an open
    gap.
    """
    left, _, right = torch.linalg.svd(normal("planted").double(), full_matrices=False)
    value = torch.cat([torch.arange(40.0, 24.0, -1), torch.linspace(1, 0.1, 112)]).double()
    return (left * value @ right).float()


def geometry(before: Tensor, after: Tensor) -> Geometry:
    found = change_of(Untrained("w", before), after).geometry
    assert found is not None
    return found


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (16, 16)])
def test_directions_are_those_of_the_library(shape: tuple[int, int]) -> None:
    matrix = normal("directions", shape=shape)
    found = directions(matrix, 4)
    left, value, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    assert found.left_MK is not None and found.right_NK is not None and found.count == 4
    torch.testing.assert_close(found.value_R, value, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(
        (found.left_MK.T @ left[:, :4]).abs(), torch.eye(4).double(), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        (found.right_NK.T @ right[:4].T).abs(), torch.eye(4).double(), atol=1e-6, rtol=0
    )
    assert found.gap == pytest.approx(float(value[3] - value[4]))


def test_a_matrix_too_thin_or_too_empty_has_no_directions() -> None:
    assert directions(torch.ones(1, 9), 4).left_MK is None
    assert directions(torch.zeros(9, 9), 4).gap is None
    assert (
        directions(normal("l", shape=(9, 1)) @ normal("r", shape=(1, 9)), 4).left_MK is None
    )  # of rank 1
    assert directions(normal("small", shape=(6, 9)), 16).count == 3


@pytest.mark.parametrize("degrees", [0.001, 1.0, 44.0, 46.0, 89.0])
def test_principal_angles_by_hand(degrees: float) -> None:
    radians = math.radians(degrees)
    first = torch.eye(5, 2).double()
    second = torch.stack(
        [
            torch.tensor([1.0, 0, 0, 0, 0]),
            torch.tensor([0, math.cos(radians), math.sin(radians), 0, 0]),
        ],
        dim=1,
    ).double()
    torch.testing.assert_close(
        principal_angles(first, second), torch.tensor([0.0, degrees]).double(), atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize("degrees", [0.5, 10.0, 60.0])
def test_a_planted_turn_is_found_on_its_side_and_leaves_the_spectrum(degrees: float) -> None:
    before = planted()
    found = geometry(before, turned(before, 3, 40, degrees))
    assert found.angles["left"]["largest"] == pytest.approx(degrees, abs=0.02)
    assert found.angles["left"]["mean"] == pytest.approx(degrees / 16, abs=0.02)
    assert found.angles["right"]["largest"] < 0.01
    assert found.spectral_change == pytest.approx(0, abs=1e-6)


def test_a_turn_within_the_first_directions_is_no_turn_of_their_subspace() -> None:
    before = planted()
    assert geometry(before, turned(before, 3, 7, 30.0)).angles["left"]["largest"] < 0.01


def test_the_gap_says_whether_an_angle_means_anything() -> None:
    """The same noise turns a subspace that an open gap holds by less than Wedin allows, and one
    that a closed gap holds at will.
    """
    held, loose = planted(), normal("loose")
    noise = 0.1 * normal("noise")
    tight, free = geometry(held, held + noise), geometry(loose, loose + noise)
    assert (
        tight.gap == pytest.approx(24.0, abs=1e-3)
        and tight.gap_over_update is not None
        and free.gap_over_update is not None
    )
    assert tight.gap_over_update > 1 > free.gap_over_update
    assert tight.angles["left"]["largest"] <= math.degrees(math.asin(1 / tight.gap_over_update))
    assert free.angles["left"]["largest"] > 10 * tight.angles["left"]["largest"]


def test_the_spectral_change_by_hand() -> None:
    found = geometry(torch.diag(torch.tensor([3.0, 4.0])), torch.diag(torch.tensor([3.0, 4.5])))
    assert found.spectral_change == pytest.approx(0.5 / 5)


def test_masks_are_the_shares_they_say_and_hold_what_they_say() -> None:
    untrained = Untrained("w", normal("masks"))
    size = untrained.weight.numel()
    assert {name: int(mask.sum()) for name, mask in untrained.masks.items()} == dict.fromkeys(
        ("principal", "low"), int(ALPHA * size)
    )
    low = untrained.masks["low"]
    assert untrained.weight[low].abs().max() <= untrained.weight[~low].abs().min()
    left, value, right = torch.linalg.svd(untrained.weight, full_matrices=False)
    part = (left[:, :16] * value[:16] @ right[:16]).abs()
    assert (largest(part, int(ALPHA * size)) != untrained.masks["principal"]).float().mean() < 1e-4


def test_updates_planted_in_a_mask_are_found_there_and_the_shuffled_null_is_not() -> None:
    untrained = Untrained(
        "w", (0.02 * planted()).bfloat16().float()
    )  # nearly all of it is in its first directions
    for mask, other in (("principal", "low"), ("low", "principal")):
        counts = geometry(untrained.weight, untrained.weight + 0.01 * untrained.masks[mask]).inside
        share, null = counts[mask].share, counts[mask].shuffled
        assert share == 1.0 and null is not None and null < 0.45
        assert counts[mask].uniform == pytest.approx(ALPHA, abs=1e-4)
        assert counts[other].share is not None and counts[other].share < 0.1


def test_noise_that_knows_nothing_lies_in_the_small_weights_and_the_shuffled_null_explains_it() -> (
    None
):
    start = normal("start", shape=(384, 384), scale=0.02).bfloat16().float()
    inside = geometry(start, start + normal("noise", shape=(384, 384), scale=3e-5)).inside
    assert inside["low"].share is not None and inside["low"].share > 0.6  # where uniform is 0.3
    assert inside["low"].share == pytest.approx(inside["low"].shuffled, abs=0.01)
    assert inside["principal"].share == pytest.approx(inside["principal"].shuffled, abs=0.01)


def test_of_equal_entries_the_first_are_the_largest() -> None:
    assert largest(torch.tensor([[2.0, 1.0], [2.0, 3.0]]), 2).tolist() == [
        [True, False],
        [False, True],
    ]
    assert (
        largest(torch.ones(4), 0).tolist() == [False] * 4
        and largest(torch.ones(4), 4).tolist() == [True] * 4
    )


@pytest.mark.parametrize("size", [100, SMALL + BLOCK + 7])
def test_a_shuffle_keeps_every_number_and_hardly_a_place(size: int) -> None:
    update = torch.arange(float(size))
    found = shuffled(update, 0, "w")
    assert torch.equal(found.sort().values, update)
    assert float((found == update).float().mean()) < 0.05
    assert torch.equal(found, shuffled(update, 0, "w")) and not torch.equal(
        found, shuffled(update, 1, "w")
    )


def test_in_a_large_matrix_too_each_place_gets_any_entry() -> None:
    """Half of the rows moved: wherever one looks, about half of what the shuffle brought there
    had.
    """
    update = torch.zeros(512, 512)
    update[:256] = 1.0
    found = torch.stack([shuffled(update, place, "w") for place in range(20)]).mean(dim=0)
    quarters = [float(part.mean()) for rows in found.chunk(2) for part in rows.chunk(2, dim=1)]
    assert quarters == pytest.approx([0.5] * 4, abs=0.06)
    columns = found.mean(dim=0)
    assert float(columns.min()) > 0.4 and float(columns.max()) < 0.6


def test_new_signs_keep_places_and_sizes() -> None:
    update = normal("signs")
    found = resigned(update, 0, "w")
    assert torch.equal(found.abs(), update.abs())
    assert float((found == update).float().mean()) == pytest.approx(0.5, abs=0.02)


def test_a_tally_in_parts_is_that_of_the_whole() -> None:
    before = normal("tally", shape=(3 * CHUNK + 5,), scale=0.02)
    after = before + normal("moved", shape=(3 * CHUNK + 5,), scale=1e-5) * (
        normal("some", shape=(3 * CHUNK + 5,)) > 0
    )
    found, apart = tally(before, after), (after - before).abs()
    assert found.changed == {
        "float32": int((before != after).sum()),
        "bfloat16": int((before.bfloat16() != after.bfloat16()).sum()),
        "relative_1e-3": int((apart > 1e-3 * torch.maximum(before.abs(), after.abs())).sum()),
        "tolerance_1e-5": int((apart > 1e-5).sum()),
    }
    assert found.moved == pytest.approx(float((after - before).double().square().sum()), rel=1e-6)
    assert found.norm == pytest.approx(float(before.double().square().sum()), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_sums_of_squares_outside_of_float32_are_kept(scale: float) -> None:
    before, after = torch.zeros(8), torch.full((8,), scale)
    assert tally(before, after).moved == pytest.approx(8 * scale**2, rel=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_weight_of_the_families_has_a_kind_and_every_block_its_layer(name: str) -> None:
    names = PolicyWeights(tiny_policy(name)).names()
    kinds = {each: kind_of(each) for each in names}
    assert UNKNOWN not in kinds.values(), {each for each, kind in kinds.items() if kind == UNKNOWN}
    found = {kind.removesuffix(" bias") for kind in kinds.values()}
    assert {"embedding", "norm", "o", "down"} <= found and (
        "qkv" in found or {"q", "k", "v"} <= found
    )
    assert {layer_of(each) for each in names} == {"0", "1", "outside"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.layers.3.self_attn.q_norm.weight", "norm"),
        ("transformer.h.0.attn.c_proj.weight", "o"),
        ("transformer.h.0.mlp.c_proj.weight", "down"),
        ("transformer.h.0.mlp.c_proj.bias", "down bias"),
        ("gpt_neox.layers.0.attention.dense.weight", "o"),
        ("model.layers.0.block_sparse_moe.experts.5.w3.weight", "up"),
        ("model.layers.0.mlp.gate.weight", "router"),
        ("model.layers.0.mlp.experts.gate_up_proj", "gate and up"),
        ("backbone.layers.0.mixer.A_log", "unknown"),
        ("weight", "unknown"),
    ],
)
def test_kinds_by_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_layers_and_kinds_add_up_to_the_whole() -> None:
    policy, moved = tiny_policy(), tiny_policy()
    with torch.no_grad():
        for name, parameter in moved.model.named_parameters():
            parameter.add_(normal(name, shape=tuple(parameter.shape), scale=1e-3))
    whole, *found = changes(PolicyWeights(policy), PolicyWeights(moved))
    for label in ("layer", "kind"):
        parts = [change for (by, _), change in by_layer_and_kind(found).items() if by == label]
        assert sum(part.size for part in parts) == whole.size
        assert sum(part.moved for part in parts) == pytest.approx(whole.moved)
    assert np.isfinite(whole.moved)
