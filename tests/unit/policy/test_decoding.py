import pytest
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from factories import FAMILIES, tiny_policy
from rewardscope.policy import Policy, decoding
from rewardscope.policy.decoding import RoomyLayer, make_room, thin_products
from rewardscope.seeds import generator


def states(rows: int, length: int, name: str) -> torch.Tensor:
    return torch.from_numpy(generator("states", name).normal(size=(rows, 2, length, 4))).float()


def test_a_cache_with_room_holds_what_the_librarys_holds() -> None:
    plain, roomy = DynamicCache(), DynamicCache()
    for cache in (plain, roomy):
        cache.update(states(3, 5, "k"), states(3, 5, "v"), 0)
    rows = torch.tensor([0, 0, 2, 1])
    plain.batch_select_indices(rows)
    make_room(roomy, rows, 4)
    assert type(roomy.layers[0]) is RoomyLayer
    for step in range(4):
        new = states(4, 1, f"k{step}"), states(4, 1, f"v{step}")
        for mine, theirs in zip(roomy.update(*new, 0), plain.update(*new, 0), strict=True):
            assert torch.equal(mine, theirs)
        if step == 1:
            keep = torch.tensor([3, 1])
            roomy.batch_select_indices(keep)
            plain.batch_select_indices(keep)
            rows = keep
        if step >= 1:
            break
    assert roomy.get_seq_length() == plain.get_seq_length() == 7
    more = states(2, 2, "k9"), states(2, 2, "v9")
    assert torch.equal(roomy.update(*more, 0)[0], plain.update(*more, 0)[0])  # the room that was left is still there


def test_layers_of_another_kind_are_left_alone() -> None:
    class Other(DynamicLayer):
        pass

    cache = DynamicCache()
    cache.layers = [Other()]
    cache.update(states(1, 2, "k"), states(1, 2, "v"), 0)
    make_room(cache, torch.tensor([0, 0]), 4)
    assert type(cache.layers[0]) is Other


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("thin_rows", [0, 128])
def test_products_the_other_way_round_are_the_same_products(family: str, thin_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "THIN_ROWS", thin_rows)
    policy = tiny_policy(family)
    ids = torch.tensor([[3, 5, 7], [2, 4, 6]])
    with torch.no_grad():
        expected = policy.model(input_ids=ids).logits
        with thin_products(policy.model):
            torch.testing.assert_close(policy.model(input_ids=ids).logits, expected, atol=1e-5, rtol=1e-5)


def test_the_model_is_left_as_it_was(planted: Policy) -> None:
    def patched() -> int:
        return sum("forward" in vars(module) for module in planted.model.modules())

    assert patched() == 0
    with pytest.raises(KeyError), thin_products(planted.model):
        assert patched() > 10
        raise KeyError
    assert patched() == 0
