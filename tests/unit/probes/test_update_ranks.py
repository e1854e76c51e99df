import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from factories import tiny_policy
from rewardscope import Subnetwork
from rewardscope.analyses.checkpoints import compare
from rewardscope.errors import ModelError
from rewardscope.policy.weights import FolderWeights, PolicyWeights, in_step
from rewardscope.probes.agreement import above_null, agreements
from rewardscope.probes.geometry import Untrained
from rewardscope.probes.nulls import rescaled
from rewardscope.probes.spectra import singular_values, stable_rank
from rewardscope.probes.weight_change import Change, change_of, changes
from rewardscope.seeds import generator


def normal(*address: str | int, shape: tuple[int, ...] = (192, 128), scale: float = 0.02) -> Tensor:
    return torch.from_numpy(generator("update ranks", *address).normal(0, scale, shape)).float()


def saved(folder: Path, name: str, **tensors: Tensor) -> FolderWeights:
    (folder / name).mkdir()
    save_file(
        {key: tensor.contiguous() for key, tensor in tensors.items()},
        folder / name / "model.safetensors",
    )
    return FolderWeights(folder / name)


def change(before: Tensor, after: Tensor) -> Change:
    return change_of(Untrained("w", before), after)


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (16, 16)])
def test_singular_values_are_those_of_the_library(shape: tuple[int, int]) -> None:
    matrix = normal("svd", shape=shape, scale=1.0)
    torch.testing.assert_close(
        singular_values(matrix), torch.linalg.svdvals(matrix.double()), atol=1e-9, rtol=1e-9
    )


def test_many_rows_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = normal("parts")
    whole = singular_values(matrix)
    monkeypatch.setattr("rewardscope.probes.spectra.ENTRIES", 1000)
    torch.testing.assert_close(singular_values(matrix), whole)


@pytest.mark.parametrize("scale", [1e-2, 1e-4, 1e-5])
def test_a_rank_three_update_has_rank_three_and_its_stored_form_has_not(scale: float) -> None:
    before = normal("weights")
    update = (
        scale
        * normal("left", shape=(192, 3), scale=1.0)
        @ normal("right", shape=(3, 128), scale=1.0)
    )
    found = change(before, before + update)
    assert found.rank_share["float32"] == 3 / 128
    assert 1 < found.stable_rank["float32"] <= 3
    if scale < 1e-3:
        assert found.rank_share["bfloat16"] > 0.9, (
            "a full rank of what bfloat16 stores says nothing of the update"
        )


def test_rounding_of_the_weights_is_not_rank() -> None:
    """Entries of 1e-6 on weights of 0.02: float32 itself rounds each sum by up to 1e-9, in every
    direction.
    """
    before = normal("weights")
    update = (
        1e-6 * normal("one", shape=(192, 1), scale=1.0) @ normal("row", shape=(1, 128), scale=1.0)
    )
    assert change(before, before + update).rank_share["float32"] == 1 / 128


def test_noise_has_full_rank_and_a_large_stable_one() -> None:
    before = normal("weights")
    found = change(before, before + normal("noise", scale=1e-3))
    assert found.rank_share == {"float32": 1.0, "bfloat16": 1.0}
    assert found.stable_rank["float32"] > 30


def test_a_twelve_percent_update_changes_twelve_percent_in_every_view() -> None:
    before = normal("weights")
    mask = torch.from_numpy(generator("mask").random(tuple(before.shape)) < 0.12)
    found = change(before, before + 0.01 * mask)
    assert {view: count / found.size for view, count in found.changed.items()} == pytest.approx(
        dict.fromkeys(found.changed, float(mask.float().mean())), abs=0.001
    )


def test_identity_has_stable_rank_n_and_nothing_has_none() -> None:
    assert stable_rank(singular_values(torch.eye(9))) == pytest.approx(9.0)
    assert stable_rank(singular_values(torch.zeros(4, 3))) is None


def test_folders_and_policies_read_the_same(tmp_path: Path) -> None:
    policy = tiny_policy()
    policy.save(tmp_path / "a")
    moved = policy.clone()
    with torch.no_grad():
        next(moved.model.parameters()).add_(0.01)
    moved.save(tmp_path / "b")
    on_disk = changes(FolderWeights(tmp_path / "a"), FolderWeights(tmp_path / "b"))
    in_memory = changes(PolicyWeights(policy), PolicyWeights(moved))
    assert {c.matrix: c for c in on_disk[1:]} == {c.matrix: c for c in in_memory[1:]}
    assert on_disk[0].changed == in_memory[0].changed


def test_shards_are_one_checkpoint(tmp_path: Path) -> None:
    save_file({"a": normal("a")}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": normal("b")}, tmp_path / "model-00002-of-00002.safetensors")
    save_file({"c": normal("c")}, tmp_path / "optimizer.safetensors")
    assert FolderWeights(tmp_path).names() == ["a", "b"]
    assert torch.equal(FolderWeights(tmp_path).tensor("b"), normal("b"))


def test_one_tensor_at_a_time_is_read(tmp_path: Path) -> None:
    """Eight matrices of 4 MiB on each side; numpy's own buffers are what tracemalloc sees of a
    read.
    """
    tensors = {str(i): normal(i, shape=(1024, 1024)) for i in range(8)}
    before, after = saved(tmp_path, "a", **tensors), saved(tmp_path, "b", **tensors)
    tracemalloc.start()
    seen = [name for name, _ in in_step(before, after)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == sorted(tensors)
    assert peak < 16 * 2**20


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ({"w": torch.ones(2, 3)}, "different shapes"),
        ({"v": torch.ones(2, 2)}, "different architectures"),
        ({"w": torch.full((2, 2), float("nan"))}, "not finite"),
        ({"w": torch.ones(2, 2, dtype=torch.int8)}, "quantised"),
    ],
)
def test_checkpoints_that_cannot_be_compared_are_refused_by_name(
    tmp_path: Path, after: dict[str, Tensor], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        changes(saved(tmp_path, "a", w=torch.ones(2, 2)), saved(tmp_path, "b", **after))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights"):
        FolderWeights(tmp_path).names()


def noise_at(density: float, start: Tensor, *address: str | int) -> Tensor:
    """Independent noise scaled until bfloat16 stores that share of it."""
    noise, low, high = normal(*address, shape=tuple(start.shape), scale=1.0), 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        share = float(((start + middle * noise).bfloat16() != start.bfloat16()).float().mean())
        low, high = (middle, high) if share < density else (low, middle)
    return start + high * noise


@pytest.mark.parametrize(("stored", "low", "high"), [(True, 0.62, 0.68), (False, 0.55, 0.60)])
def test_independent_noise_agrees_far_above_chance_and_the_shuffled_null_explains_it(
    tmp_path: Path, stored: bool, low: float, high: float
) -> None:
    """A start that was stored in bfloat16 lies on its grid, and an update has to pass half a step;
    one in float32 lies anywhere between.
    """
    start = normal("start", shape=(384, 384))
    start = start.bfloat16().float() if stored else start
    sides = {
        str(seed): saved(tmp_path, str(seed), w=noise_at(0.37, start, seed)) for seed in (1, 2)
    }
    (pair,) = agreements(saved(tmp_path, "start", w=start), sides)
    one, other = pair.found.one_sided
    assert one is not None and low <= one <= high and other is not None and low <= other <= high
    assert pair.found.uniform[0] == pytest.approx(0.37, abs=0.01)
    assert pair.shuffled.one_sided[0] == pytest.approx(one, abs=0.02)
    assert pair.found.jaccard == pytest.approx(pair.shuffled.jaccard, abs=0.02)
    assert pair.found.top_share == pytest.approx(0.1, abs=0.015)


def test_updates_of_the_same_place_are_found_above_the_null(tmp_path: Path) -> None:
    start = normal("start", shape=(256, 256))
    mask = torch.from_numpy(generator("place").random(tuple(start.shape)) < 0.1).float()
    sides = {
        str(seed): saved(
            tmp_path, str(seed), w=start + mask * normal(seed, shape=(256, 256), scale=0.01)
        )
        for seed in (1, 2)
    }
    (pair,) = agreements(saved(tmp_path, "start", w=start), sides)
    assert pair.found.one_sided[0] is not None and pair.shuffled.one_sided[0] is not None
    assert pair.found.one_sided[0] > 0.9 and pair.shuffled.one_sided[0] < 0.2
    assert pair.found.top_share is not None and pair.found.top_share > 0.8


def test_nothing_changed_agrees_in_nothing_that_can_be_said(tmp_path: Path) -> None:
    start = normal("start", shape=(16, 16))
    before = saved(tmp_path, "start", w=start)
    (pair,) = agreements(before, {"a": before, "b": before})
    assert (pair.found.one_sided, pair.found.jaccard) == ((None, None), None)


def test_every_pair_is_compared_and_one_alone_is_refused(tmp_path: Path) -> None:
    start = normal("start", shape=(16, 16))
    sides = {
        str(seed): saved(tmp_path, str(seed), w=start + normal(seed, shape=(16, 16)))
        for seed in (1, 2, 3)
    }
    before = saved(tmp_path, "start", w=start)
    assert [(a.first, a.second) for a in agreements(before, sides)] == [
        ("1", "2"),
        ("1", "3"),
        ("2", "3"),
    ]
    assert agreements(before, sides) == agreements(before, sides), "the null is drawn by address"
    with pytest.raises(ModelError, match="2 or more"):
        agreements(before, {"1": sides["1"]})


def test_counts_by_hand(tmp_path: Path) -> None:
    start = torch.ones(10, 10)
    one, other = np.zeros(100), np.zeros(100)
    one[:30], other[20:60] = 1.0, 2.0
    sides = {
        name: saved(tmp_path, name, w=start + torch.from_numpy(u).float().view(10, 10))
        for name, u in (("a", one), ("b", other))
    }
    (pair,) = agreements(saved(tmp_path, "start", w=start), sides)
    assert (pair.found.first, pair.found.second, pair.found.both) == (30, 40, 10)
    assert pair.found.one_sided == (10 / 30, 10 / 40)
    assert pair.found.jaccard == 10 / 60
    assert pair.found.uniform == pytest.approx((0.4, 0.3, 0.12 / 0.58))


def test_signs_that_agree_are_seen_and_drawn_anew_agree_by_halves(tmp_path: Path) -> None:
    """Two trainings with the same update: the same places, the same way, the same largest."""
    start = normal("start", shape=(256, 256))
    sides = {
        name: saved(tmp_path, name, w=start + normal("both", shape=(256, 256), scale=1e-3))
        for name in ("a", "b")
    }
    (pair,) = agreements(saved(tmp_path, "start", w=start), sides)
    assert (pair.found.jaccard, pair.found.sign_share, pair.found.top_share) == (1.0, 1.0, 1.0)
    assert pair.resigned.jaccard is not None and pair.resigned.jaccard > 0.95, (
        "sizes and places alone"
    )
    assert pair.resigned.sign_share == pytest.approx(
        0.5, abs=0.01
    ) and pair.shuffled.sign_share == pytest.approx(0.5, abs=0.01)
    assert pair.resigned.top_share == 1.0 and pair.shuffled.top_share == pytest.approx(
        0.1, abs=0.015
    )


def test_what_lies_above_the_null_has_an_interval_from_three_trainings_on(tmp_path: Path) -> None:
    start = normal("start", shape=(256, 256))
    before, place = (
        saved(tmp_path, "start", w=start),
        torch.from_numpy(generator("place").random((256, 256)) < 0.1).float(),
    )
    alike = {
        str(seed): saved(
            tmp_path, f"p{seed}", w=start + place * normal(seed, shape=(256, 256), scale=0.01)
        )
        for seed in (1, 2, 3)
    }
    unlike = {
        str(seed): saved(tmp_path, f"n{seed}", w=start + normal(seed, shape=(256, 256), scale=1e-4))
        for seed in (1, 2, 3)
    }
    found, null = (above_null(agreements(before, sides), "top_share") for sides in (alike, unlike))
    assert (
        found is not None
        and found.lower is not None
        and found.lower > 0.5
        and "3 trainings" in found.interval
    )
    assert (
        null is not None
        and null.lower is not None
        and null.upper is not None
        and null.lower <= 0.01
        and null.upper >= -0.01
    )
    two = above_null(agreements(before, {seed: alike[seed] for seed in ("1", "2")}), "jaccard")
    assert two is not None and two.lower is None and "one pair" in two.interval
    assert above_null(agreements(before, dict.fromkeys(("a", "b"), before)), "jaccard") is None


def test_scales_that_trainings_share_are_no_agreement(tmp_path: Path) -> None:
    """Noise with the same large rows and columns: the shuffled null alone would call it one."""
    start = normal("start", shape=(256, 256))
    rows, columns = (torch.exp(0.5 * normal(name, shape=(256,), scale=1.0)) for name in "rc")
    scale = 1e-3 * torch.outer(rows, columns)
    sides = {
        str(seed): saved(
            tmp_path, str(seed), w=start + scale * normal(seed, shape=(256, 256), scale=1.0)
        )
        for seed in (1, 2, 3)
    }
    pairs = agreements(saved(tmp_path, "start", w=start), sides)
    for pair in pairs:
        assert pair.found.top_share is not None and pair.shuffled.top_share is not None
        assert pair.found.top_share > pair.shuffled.top_share + 0.2
        assert pair.rescaled.top_share == pytest.approx(pair.found.top_share, abs=0.03)
    above = above_null(pairs, "top_share")
    assert above is not None and abs(above.value) < 0.02


def test_a_rescaled_update_has_the_scales_of_rows_and_columns_and_none_elsewhere() -> None:
    update = torch.outer(torch.tensor([0.0, 1.0, 4.0]), torch.tensor([1.0, 0.0, 2.0]))
    assert torch.allclose(rescaled(update, "one"), update), "its entries differ in scale alone"
    vector = torch.arange(5.0)
    assert sorted(rescaled(vector, "one").tolist()) == vector.tolist()


def test_shards_are_found_by_their_index(tmp_path: Path) -> None:
    save_file({"a": normal("a")}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": normal("b")}, tmp_path / "model-00002-of-00002.safetensors")
    save_file({"c": normal("c")}, tmp_path / "model-left-over.safetensors")
    files = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    assert FolderWeights(tmp_path).names() == ["a", "b"]
    found = changes(FolderWeights(tmp_path), FolderWeights(tmp_path))
    assert [change.matrix for change in found] == ["all", "a", "b"] and not any(
        found[0].changed.values()
    )
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match=r"Shards of the checkpoint are missing. Got: model-00002"):
        FolderWeights(tmp_path).names()


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "[]", '{"weight_map": {"a": 3}}', '{"weight_map": {"a": "../../etc/passwd"}}'],
)
def test_an_index_that_says_nonsense_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(
        ModelError, match=r"index of the shards cannot be read|Shards of the checkpoint are missing"
    ):
        FolderWeights(tmp_path).names()


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    weights = saved(tmp_path, "whole", w=normal("w"))
    data = (weights.folder / "model.safetensors").read_bytes()
    (weights.folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="A file of weights cannot be read"):
        FolderWeights(weights.folder).names()


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.ones(5, 4), "different shapes.*one tokenizer"),
        (torch.ones(4, 4, dtype=torch.float8_e4m3fn), "quantised"),
        (torch.ones(4, 4, dtype=torch.uint8), "quantised"),
        (torch.full((4, 4), float("inf")), "not finite. Got: 16"),
        (torch.full((4, 4), float("nan")), "not finite. Got: 16"),
    ],
    ids=["another vocabulary", "float8", "packed 4 bits", "infinite", "nan"],
)
def test_every_reader_refuses_what_cannot_be_compared(
    tmp_path: Path, tensor: Tensor, message: str
) -> None:
    name = "model.embed_tokens.weight"
    good, bad = (
        saved(tmp_path, "good", **{name: torch.ones(4, 4)}),
        saved(tmp_path, "bad", **{name: tensor}),
    )
    with pytest.raises(ModelError, match=message):
        changes(good, bad)
    with pytest.raises(ModelError, match=message):
        agreements(good, {"good": good, "bad": bad})
    with pytest.raises(ModelError, match=message):
        compare(str(good.folder), [str(good.folder), str(bad.folder)])
    with pytest.raises(ModelError, match=message):
        Subnetwork(((0, str(bad.folder)),)).masks(good, 0)


def test_a_start_in_bfloat16_and_a_training_in_float32_can_be_compared(tmp_path: Path) -> None:
    start = (1 + normal("w")).bfloat16()
    found = changes(
        saved(tmp_path, "start", w=start), saved(tmp_path, "end", w=start.float() + 1e-6)
    )
    assert found[0].changed["bfloat16"] == 0 and found[0].moved > 0


def test_one_pass_says_what_each_instrument_says_alone(tmp_path: Path) -> None:
    start = normal("start", shape=(64, 64))
    sides = [
        saved(tmp_path, str(seed), w=start + normal(seed, shape=(64, 64), scale=1e-4))
        for seed in (1, 2)
    ]
    before = saved(tmp_path, "start", w=start)
    found = compare(str(before.folder), [str(side.folder) for side in sides])
    assert found.agreements == agreements(before, {str(side.folder): side for side in sides})
    assert found.changes[str(sides[0].folder)] == changes(before, sides[0])
