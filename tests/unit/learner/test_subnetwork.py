"""Masks: what is in them, and that nothing outside moves."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from factories import SMALL_ARM, sampled_batch, tiny_policy
from rewardscope import Learner, LowRank, Subnetwork
from rewardscope.errors import ComponentError, ModelError
from rewardscope.policy import Policy, Sampling
from rewardscope.policy.weights import FolderWeights, PolicyWeights
from rewardscope.seeds import generator
from rewardscope.store import CellDirectory
from rewardscope.study import Evaluation, Study
from rewardscope.tensors import Batch, TokenCredit
from rewardscope.training import Arm, train


def moved(policy: Policy, seed: int, scale: float = 1e-3) -> Policy:
    """Every weight a little away, for each seed its own way."""
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(
                torch.from_numpy(
                    generator("subnetwork test", name, seed).normal(
                        0, scale, tuple(parameter.shape)
                    )
                )
            )
    return other


@pytest.fixture
def trained(tmp_path: Path) -> tuple[tuple[int, str], ...]:
    """Two trainings of the tiny policy."""
    for seed in (0, 1):
        moved(tiny_policy(), seed).save(tmp_path / str(seed))
    return tuple((seed, str(tmp_path / str(seed))) for seed in (0, 1))


def weights(policy: Policy) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in policy.model.named_parameters()}


START = PolicyWeights(tiny_policy())


def test_the_changed_entries_in_bfloat16_view_are_those_whose_stored_bits_differ(
    trained: tuple[tuple[int, str], ...],
) -> None:
    masks = Subnetwork(trained).masks(START, 1)
    after = FolderWeights(Path(trained[1][1]))
    assert set(masks) == set(START.names())
    for name, mask in masks.items():
        assert torch.equal(mask, START.tensor(name).bfloat16() != after.tensor(name).bfloat16())


@pytest.mark.parametrize("entries", ["changed", "other", "random", "smallest"])
@pytest.mark.parametrize("view", ["bfloat16", "largest"])
def test_every_mask_has_as_many_entries_in_each_matrix(
    trained: tuple[tuple[int, str], ...], view: Any, entries: Any
) -> None:
    changed = Subnetwork(trained, "changed", view).masks(START, 0)
    swapped = ((0, trained[1][1]), (1, trained[0][1])) if entries == "other" else ()
    found = Subnetwork(trained, entries, view, others=swapped).masks(START, 0)
    assert {n: int(m.sum()) for n, m in found.items()} == {
        n: int(m.sum()) for n, m in changed.items()
    }
    assert (entries == "changed") == all(
        torch.equal(found[name], changed[name]) for name in changed
    )


def test_the_smallest_are_the_smallest_and_the_largest_updates_the_largest(
    trained: tuple[tuple[int, str], ...],
) -> None:
    name = "lm_head.weight"
    before, after = START.tensor(name), FolderWeights(Path(trained[0][1])).tensor(name)
    small = Subnetwork(trained, "smallest", "largest", 0.25).masks(START, 0)[name]
    assert (
        int(small.sum()) == before.numel() // 4
        and before[small].abs().max() <= before[~small].abs().min()
    )
    large = Subnetwork(trained, "changed", "largest", 0.25).masks(START, 0)[name]
    assert (after - before)[large].abs().min() >= (after - before)[~large].abs().max()


def test_an_entry_that_did_not_move_is_not_among_the_largest(tmp_path: Path) -> None:
    policy = tiny_policy()
    with torch.no_grad():
        policy.model.get_parameter("lm_head.weight")[0, :3] += 1.0
    policy.save(tmp_path)
    masks = Subnetwork(((0, str(tmp_path)),), "changed", "largest", 0.5).masks(START, 0)
    assert (
        sum(int(mask.sum()) for mask in masks.values()) == 3
        and masks["lm_head.weight"][0, :3].all()
    )


def test_another_trainings_places_come_first_and_are_filled_up_by_size(tmp_path: Path) -> None:
    """This one changed 4 entries as bfloat16 stores them, the other one 2, and moved the rest by
    less than bfloat16 sees.
    """
    one, other = tiny_policy(), tiny_policy()
    name = "lm_head.weight"
    with torch.no_grad():
        one.model.get_parameter(name)[1, :4] += 1.0
        weight = other.model.get_parameter(name)
        weight[2, :2] += 1.0
        weight[3, 5] *= 1 + 1e-6
    one.save(tmp_path / "one")
    other.save(tmp_path / "other")
    mask = Subnetwork(
        ((0, str(tmp_path / "one")),), "other", others=((0, str(tmp_path / "other")),)
    ).masks(START, 0)[name]
    assert int(mask.sum()) == 4 and mask[2, :2].all() and mask[3, 5]


def test_random_masks_differ_by_seed_and_by_nothing_else(
    trained: tuple[tuple[int, str], ...],
) -> None:
    mask = Subnetwork(trained, "random", "largest")
    first, again, second = mask.masks(START, 0), mask.masks(START, 0), mask.masks(START, 1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], second["lm_head.weight"])


@pytest.fixture(scope="module")
def batch() -> Batch:
    return sampled_batch(tiny_policy(), ("1+2?", "3*4-5?"), 3, Sampling(max_tokens=8))


def stepped(
    batch: Batch,
    masks: Mapping[str, Tensor] | None,
    weight_decay: float = 0.0,
    policy: Policy | None = None,
) -> Policy:
    """The tiny policy after three steps."""
    policy, learner = (
        policy or tiny_policy(),
        Learner(learning_rate=1e-2, weight_decay=weight_decay),
    )
    optimizer = learner.optimizer(policy, masks)
    credit = TokenCredit(torch.tensor([1.0, -0.5, -0.5]).repeat(2)[:, None] * batch.mask_NT)
    for step in range(3):
        learner.update(policy, optimizer, batch, credit, None, 8, ("test", step))
    return policy


def filled(value: bool) -> dict[str, Tensor]:
    return {
        name: torch.full_like(START.tensor(name), value, dtype=torch.bool) for name in START.names()
    }


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_a_mask_of_everything_is_full_training_and_a_mask_of_nothing_none(
    batch: Batch, weight_decay: float
) -> None:
    full = weights(stepped(batch, None, weight_decay))
    torch.testing.assert_close(
        weights(stepped(batch, filled(True), weight_decay)), full, atol=0.0, rtol=0.0
    )
    torch.testing.assert_close(
        weights(stepped(batch, filled(False), weight_decay)),
        weights(tiny_policy()),
        atol=0.0,
        rtol=0.0,
    )
    assert not torch.equal(full["lm_head.weight"], START.tensor("lm_head.weight"))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_what_is_outside_stays_bit_for_bit_and_what_is_inside_moves(
    batch: Batch, weight_decay: float
) -> None:
    masks = {
        name: torch.from_numpy(
            generator("some", name).random(tuple(START.tensor(name).shape)) < 0.2
        )
        for name in START.names()
    }
    found = weights(stepped(batch, masks, weight_decay))
    for name, mask in masks.items():
        assert torch.equal(found[name][~mask], START.tensor(name)[~mask])
    assert (found["lm_head.weight"] != START.tensor("lm_head.weight"))[
        masks["lm_head.weight"]
    ].float().mean() > 0.5


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_a_matched_step_has_the_norm_of_a_full_one_and_its_direction_inside(
    batch: Batch, trained: tuple[tuple[int, str], ...], weight_decay: float
) -> None:
    mask = Subnetwork(trained, "random", "largest", 0.1, matched=True)
    masks, credit = mask.masks(START, 0), TokenCredit(torch.ones(6, 1) * batch.mask_NT)
    ways = []
    for chosen in (None, mask):
        policy = tiny_policy()
        learner = Learner(learning_rate=1e-2, weight_decay=weight_decay, mask=chosen)
        optimizer = learner.optimizer(policy, masks if chosen else None)
        learner.update(policy, optimizer, batch, credit, None, 8, ("matched",))
        ways.append({n: w - START.tensor(n) for n, w in weights(policy).items()})
    full, cut = ways
    squares = [sum(float((w.double() ** 2).sum()) for w in way.values()) for way in ways]
    inside = sum(float((full[n][masks[n]].double() ** 2).sum()) for n in full)
    ratio = (squares[0] / inside) ** 0.5
    assert squares[1] == pytest.approx(squares[0], rel=1e-3) and ratio > 2
    for name, way in cut.items():
        assert not way[~masks[name]].any()
        torch.testing.assert_close(
            way[masks[name]], ratio * full[name][masks[name]], atol=1e-5, rtol=1e-3
        )


def test_the_first_step_inside_is_that_of_full_training(batch: Batch) -> None:
    """The gradient is cut by its whole norm before the mask, so an entry inside moves as it would
    have.
    """
    learner = Learner(learning_rate=1e-2)
    credit = TokenCredit(torch.tensor([1.0, -0.5, -0.5]).repeat(2)[:, None] * batch.mask_NT)
    masks = {
        name: torch.from_numpy(
            generator("some", name).random(tuple(START.tensor(name).shape)) < 0.2
        )
        for name in START.names()
    }
    ends = []
    for mask in (None, masks):
        policy = tiny_policy()
        notes = learner.update(
            policy, learner.optimizer(policy, mask), batch, credit, None, 8, ("test", 0)
        )
        ends.append((weights(policy), notes["gradient_norm"]))
    assert ends[0][1] == ends[1][1]
    for name, mask in masks.items():
        assert torch.equal(ends[0][0][name][mask], ends[1][0][name][mask])


def test_optimizer_state_from_before_the_mask_moves_nothing_outside(batch: Batch) -> None:
    """Momentum that was there when the mask came would go on moving its entries."""
    learner = Learner(learning_rate=1e-2)
    policy = tiny_policy()
    optimizer = learner.optimizer(policy)
    credit = TokenCredit(torch.tensor([1.0, -0.5, -0.5]).repeat(2)[:, None] * batch.mask_NT)
    learner.update(policy, optimizer, batch, credit, None, 8, ("test", 0))
    before, held = weights(policy), learner.optimizer(policy, filled(False))
    held.load_state_dict(optimizer.state_dict())
    learner.update(policy, held, batch, credit, None, 8, ("test", 1))
    torch.testing.assert_close(weights(policy), before, atol=0.0, rtol=0.0)
    assert all(not entry["exp_avg"].any() for entry in held.state.values())


def test_only_what_matters_has_to_be_in_the_mask(batch: Batch) -> None:
    """With all rows of the output layer but one token's held, that token alone can be taught."""
    token = int(batch.token_NT[0][batch.mask_NT[0]][0])
    masks = filled(False)
    masks["lm_head.weight"][token] = True
    found = weights(stepped(batch, masks))
    rows = (found["lm_head.weight"] != START.tensor("lm_head.weight")).any(dim=1)
    assert rows.nonzero().flatten().tolist() == [token]


def test_masks_of_another_model_are_refused(
    batch: Batch, trained: tuple[tuple[int, str], ...], tmp_path: Path
) -> None:
    with pytest.raises(ComponentError, match="do not match the trainable weights"):
        Learner().optimizer(tiny_policy("gpt2"), filled(True))
    with pytest.raises(ModelError, match="different architectures"):
        Subnetwork(trained).masks(PolicyWeights(tiny_policy("gpt2")), 0)
    with pytest.raises(ModelError, match="no weights"):
        Subnetwork(((0, str(tmp_path / "nowhere")),)).identity()
    with pytest.raises(
        ComponentError, match=r"no training for a seed of the study\. Got: seed 7. Allowed: 0, 1"
    ):
        Subnetwork(trained).masks(START, 7)


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0.0},
        {"share": 1.5},
        {"trained": ()},
        {"entries": "other"},
        {"others": ((0, "x"),)},
    ],
)
def test_settings_that_make_no_mask_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ComponentError, match="cannot make a mask"):
        Subnetwork(**{"trained": ((0, "x"),), **wrong})


def test_a_mask_over_adapters_is_refused() -> None:
    with pytest.raises(ComponentError, match="low-rank adapters"):
        Learner(mask=Subnetwork(((0, "x"),)), low_rank=LowRank())


def test_the_key_in_a_mask_is_declared() -> None:
    def door(**fields: Any) -> bool:
        return replace(
            SMALL_ARM, learner=Learner(mask=Subnetwork(((0, "x"),), **fields))
        ).uses_truth["mask"]

    assert door() and door(view="largest") and door(entries="random")
    assert not door(view="largest", entries="random") and not door(trained_with_truth=False)
    assert not SMALL_ARM.uses_truth["mask"]


def run(arm: Arm, folder: Path, steps: int) -> dict[str, Tensor]:
    cell = CellDirectory(folder)
    train(replace(arm, steps=steps), 0, cell, lambda done: None)
    return {
        name: FolderWeights(cell.checkpoint(steps)).tensor(name)
        for name in FolderWeights(cell.checkpoint(steps)).names()
    }


def test_an_arm_with_a_mask_trains_inside_it_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    full = run(SMALL_ARM, tmp_path / "full", 2)
    mask = Subnetwork(
        ((0, str(CellDirectory(tmp_path / "full").checkpoint(2))),), "changed", "largest"
    )
    arm = replace(SMALL_ARM, learner=replace(SMALL_ARM.learner, mask=mask, weight_decay=0.01))
    whole = run(arm, tmp_path / "whole", 4)
    run(arm, tmp_path / "cut", 2)
    resumed = run(arm, tmp_path / "cut", 4)
    start = PolicyWeights(arm.start.load())
    for name, inside in mask.masks(start, 0).items():
        assert torch.equal(whole[name], resumed[name])
        assert torch.equal(whole[name][~inside], start.tensor(name)[~inside])
    assert any(not torch.equal(whole[name], start.tensor(name)) for name in full)


def test_what_the_mask_is_made_of_names_the_cell(trained: tuple[tuple[int, str], ...]) -> None:
    def names() -> list[str]:
        arm = replace(SMALL_ARM, learner=Learner(mask=Subnetwork(trained)))
        study = Study(
            name="s",
            question="?",
            arms=(arm,),
            seeds=(0, 1),
            claims=(),
            evaluation=Evaluation(problems=4, readings=2),
        )
        return [cell.name for cell in study.cells()]

    before = names()
    assert names() == before
    moved(tiny_policy(), 5).save(Path(trained[0][1]))
    assert names()[1:] != before[1:]
