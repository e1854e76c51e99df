"""Layers that keep less for the way back, against the library's own: the same bits, fewer numbers
kept.
"""

import pytest
import torch
from torch import Tensor

from factories import FAMILIES, sampled_batch, tiny_policy
from rewardscope.policy import Policy, Sampling
from rewardscope.policy.lean import lean
from rewardscope.policy.packing import arrange, choose_layout, read


def gradients(policy: Policy) -> dict[str, Tensor]:
    """Of a sum over what the model makes of sampled rows."""
    batch = sampled_batch(policy, ["12+3=", "4="], 3, Sampling(max_tokens=6))
    policy.model.zero_grad()
    for rows in arrange(batch, choose_layout(policy, batch), 4096, policy.device):
        read(policy, rows)[rows.row_M, rows.column_M].square().sum().backward()
    return {
        name: weight.grad.clone()
        for name, weight in policy.model.named_parameters()
        if weight.grad is not None
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_is_the_same_and_where_norms_come_first_to_the_bit(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tiny_policy(family)
    assert policy.lean
    less = gradients(policy)
    monkeypatch.setitem(vars(policy), "lean", False)
    plain = gradients(policy)
    off = (
        1e-6 if family == "olmo2" else 0.0
    )  # norms behind its layers: three gradients meet, in another order
    for name in plain:
        torch.testing.assert_close(
            less[name], plain[name], atol=off * float(plain[name].abs().max()), rtol=0.0
        )
    assert less.keys() == plain.keys()


def kept_bytes(policy: Policy) -> int:
    """How many bytes autograd keeps of a forward pass, weights apart."""
    weights = {weight.untyped_storage().data_ptr() for weight in policy.model.parameters()}
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        held = policy.states(input_ids=torch.arange(64)[None] % policy.vocabulary_size)
    del held
    return sum(found.values())


def test_a_llama_keeps_two_thirds_at_most() -> None:
    policy = tiny_policy("llama")
    whole = kept_bytes(policy)
    with lean(policy.model):
        assert kept_bytes(policy) < 2 / 3 * whole


def test_weights_that_are_held_still_and_other_precisions_go_the_librarys_way() -> None:
    policy = tiny_policy("llama")

    def leaning() -> int:
        with lean(policy.model):
            return sum("forward" in vars(module) for module in policy.model.modules())

    assert leaning() > 0
    policy.model.requires_grad_(requires_grad=False)
    assert leaning() == 0
    policy.model.requires_grad_(requires_grad=True).bfloat16()
    assert leaning() == 0
