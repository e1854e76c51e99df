import pytest
import torch
from transformers import DynamicCache

from factories import FAMILIES, tiny_policy
from rewardscope.policy import Policy, decoding
from rewardscope.policy.attention import attending
from rewardscope.policy.decoding import OwnLayer, Sharing, prefill, thin_products
from rewardscope.seeds import generator


def states(rows: int, length: int, name: str) -> torch.Tensor:
    return torch.from_numpy(generator("states", name).normal(size=(rows, 2, length, 4))).float()


def test_completions_keep_their_own_keys_and_the_prompts_stay_as_they_were_read() -> None:
    plain, shared = DynamicCache(), DynamicCache()
    for cache in (plain, shared):
        cache.update(states(2, 5, "k"), states(2, 5, "v"), 0)
    owner = torch.tensor([0, 0, 1])
    plain.batch_select_indices(owner)
    plan = Sharing.begin(shared, torch.ones(2, 5), owner, 4)
    for step in range(2):
        new = states(3, 1, f"k{step}"), states(3, 1, f"v{step}")
        for mine, theirs in zip(shared.update(*new, 0), plain.update(*new, 0), strict=True):
            assert torch.equal(mine, theirs[:, :, 5:])
    assert shared.get_seq_length() == plain.get_seq_length() == 7
    keep = torch.tensor([2])
    plan.keep(keep)
    plain.batch_select_indices(keep)
    layer = shared.layers[0]
    assert isinstance(layer, OwnLayer)
    assert plan.owner_R.tolist() == [0] and len(plan.prompt_mask_P11L) == 1, (
        "nobody is behind the first prompt any more"
    )
    assert torch.equal(torch.cat([layer.prompt_keys, layer.keys], dim=2), plain.layers[0].keys)
    more = states(1, 1, "k9"), states(1, 1, "v9")
    assert torch.equal(shared.update(*more, 0)[1], plain.update(*more, 0)[1][:, :, 5:]), (
        "the room that was left is still there"
    )


@pytest.mark.parametrize("family", [family for family in FAMILIES if tiny_policy(family).shares])
def test_rows_that_share_a_prompt_get_the_logits_of_rows_that_hold_it(family: str) -> None:
    """Uneven groups, a padded prompt, and rows that leave on the way."""
    policy = tiny_policy(family)
    prompt = torch.tensor([[3, 5, 7, 2], [0, 0, 4, 6]])
    seen = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
    said = torch.from_numpy(generator("said").integers(1, 20, (4, 3)))
    owner = torch.tensor([0, 1, 1, 1])
    with torch.no_grad():
        _, cache = prefill(policy.model, prompt, seen)
        plan, live = Sharing.begin(cache, seen, owner, 3), torch.arange(4)
        for step in range(3):
            place = owner[live]
            with attending(policy.model, plan):
                position = seen.sum(dim=1)[place, None] + step
                mine = policy.model(
                    input_ids=said[live, step, None], position_ids=position, past_key_values=cache
                ).logits[:, -1]
            whole = [
                torch.cat([prompt[o][seen[o] == 1], said[n, : step + 1]])[None]
                for n, o in zip(live, place, strict=True)
            ]
            theirs = torch.cat(
                [policy.model(input_ids=row, use_cache=False).logits[:, -1] for row in whole]
            )
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
            if step == 0:
                plan.keep(torch.tensor([0, 2, 3]))
                live = live[[0, 2, 3]]
            if step == 1:
                plan.keep(torch.tensor([1, 2]))
                live = live[1:]


def test_most_families_share_and_those_that_do_not_are_known() -> None:
    assert sorted(family for family in FAMILIES if not tiny_policy(family).shares) == [
        "falcon",
        "gemma2, capped logits",
        "gemma3",
    ]


def test_the_library_attends_again_afterwards(planted: Policy) -> None:
    before = planted.model.config._attn_implementation
    with (
        pytest.raises(KeyError),
        attending(
            planted.model, Sharing.begin(DynamicCache(), torch.ones(1, 1), torch.tensor([0]), 1)
        ),
    ):
        assert planted.model.config._attn_implementation != before
        raise KeyError
    assert planted.model.config._attn_implementation == before


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("thin_rows", [0, 128])
def test_products_the_other_way_round_are_the_same_products(
    family: str, thin_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(decoding, "THIN_WEIGHTS", 0)
    monkeypatch.setattr(decoding, "THIN_ROWS", thin_rows)
    policy = tiny_policy(family)
    ids = torch.tensor([[3, 5, 7], [2, 4, 6]])
    with torch.no_grad():
        expected = policy.model(input_ids=ids).logits
        with thin_products(policy.model):
            torch.testing.assert_close(
                policy.model(input_ids=ids).logits, expected, atol=1e-5, rtol=1e-5
            )


@pytest.mark.parametrize(
    ("capability", "smallest", "least"), [("AVX2", 0, 10), ("AVX2", 1 << 16, 0), ("AVX512", 0, 0)]
)
def test_which_products_are_turned_round_and_that_the_model_is_left_as_it_was(
    planted: Policy, capability: str, smallest: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned() -> int:
        return sum("forward" in vars(module) for module in planted.model.modules())

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(decoding, "THIN_WEIGHTS", smallest)
    with pytest.raises(KeyError), thin_products(planted.model):
        assert turned() >= least and (turned() > 0) == (least > 0)
        raise KeyError
    assert turned() == 0
