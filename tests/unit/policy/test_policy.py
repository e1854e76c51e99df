from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, Gemma2Config, GenerationConfig

from factories import FAMILIES, tiny_policy
from rewardscope.errors import ModelError
from rewardscope.policy import Policy, Sampling, sample
from rewardscope.policy.start import Pretrained


def test_a_folder_with_pickled_weights_alone_is_refused(tmp_path: Path) -> None:
    policy = tiny_policy()
    policy.save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(policy.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(
        ModelError, match=r"pickled weights.*pytorch_model.bin.*Allowed: safetensors"
    ):
        Policy.load(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no weights"):
        Policy.load(tmp_path)


def test_a_name_that_is_no_model_is_explained() -> None:
    with pytest.raises(
        ModelError, match=r"could not be loaded. Got: nobody/nothing-here.*Check the spelling"
    ):
        Policy.load("nobody/nothing-here")


def test_weights_cut_short_are_explained(tmp_path: Path) -> None:
    tiny_policy().save(tmp_path)
    data = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(data[:-100])
    with pytest.raises(ModelError, match="could not be loaded"):
        Policy.load(tmp_path)


def test_a_checkpoint_without_some_of_the_weights_is_refused_with_their_names(
    tmp_path: Path,
) -> None:
    """The library would fill them with random numbers; what the model does not use is passed
    over.
    """
    tiny_policy().save(tmp_path)
    file, lost, cut = (
        tmp_path / "model.safetensors",
        "model.layers.1.self_attn.q_proj.weight",
        "model.layers.0.mlp.up_proj.weight",
    )
    tensors = load_file(file)
    save_file({**tensors, "of_another_model": torch.zeros(2)}, file, {"format": "pt"})
    Policy.load(tmp_path)
    save_file(
        {name: tensor for name, tensor in tensors.items() if name != lost}, file, {"format": "pt"}
    )
    with pytest.raises(ModelError, match=f"not in its files. Got: {tmp_path}: {lost}. Allowed"):
        Policy.load(tmp_path)
    save_file({**tensors, cut: torch.zeros(3)}, file, {"format": "pt"})
    with pytest.raises(ModelError, match=rf"{cut} \(of another shape\)"):
        Policy.load(tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_saved_loads_to_the_same_bits(family: str, tmp_path: Path) -> None:
    policy = tiny_policy(family)
    policy.save(tmp_path)
    again = Policy.load(tmp_path)
    assert not again.model.training
    torch.testing.assert_close(
        again.model.state_dict(), policy.model.state_dict(), atol=0.0, rtol=0.0
    )
    assert again.end_ids == policy.end_ids == {0}
    assert again.encode("3+4?") == policy.encode("3+4?")


def test_a_clone_moves_alone() -> None:
    policy = tiny_policy()
    other = policy.clone()
    with torch.no_grad():
        next(other.model.parameters()).zero_()
    assert next(policy.model.parameters()).abs().sum() > 0


def test_text_goes_to_tokens_and_back_without_the_end_token() -> None:
    policy = tiny_policy()
    assert policy.encode("012") == (1, 2, 3)
    assert policy.decode((1, 2, 3, 0)) == "012"


def test_a_chat_template_is_used_where_there_is_one() -> None:
    policy = tiny_policy()
    plain = policy.encode("1?")
    policy.tokenizer.chat_template = (
        "{% for m in messages %}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}:{% "
        "endif %}"
    )
    assert policy.decode(policy.encode("1?")) == ">1?:"
    assert policy.encode("1?") != plain


@pytest.mark.parametrize(
    "template", [None, "{% for m in messages %}{{ m.content }}<end>{% endfor %}"]
)
def test_a_prompt_that_the_tokenizer_cannot_write_is_refused(template: str | None) -> None:
    policy = tiny_policy()
    policy.tokenizer.chat_template = template
    assert policy.encode("1+2?")[:4] == policy.encode_opening("1+2?")
    with pytest.raises(
        ModelError,
        match=r"cannot write what.* Got: 'What is 1\+2\?' becomes '[^']*1\+2\?'. .*own alphabet",
    ):
        policy.encode("What is 1+2?")


def test_a_prompt_may_spell_out_an_end_token() -> None:
    policy = tiny_policy()
    assert 0 in policy.encode("1<end>2")


def test_a_text_that_becomes_the_unknown_token_is_refused() -> None:
    policy = tiny_policy()
    policy.tokenizer.unk_token = policy.tokenizer.backend_tokenizer.model.unk_token = "7"
    assert policy.encode("1+2?")
    assert policy.encode("1+7?"), "the text itself may say it"
    with pytest.raises(ModelError, match="cannot write"):
        policy.encode("1+A?")


def test_every_end_token_that_the_generation_config_names_ends_a_completion() -> None:
    policy = tiny_policy()
    policy.model.generation_config = GenerationConfig(eos_token_id=[0, 5], pad_token_id=0)
    assert Policy(policy.model, policy.tokenizer).end_ids == {0, 5}


def test_the_output_layer_is_used_alone_only_where_logits_are_that_layer_and_no_more() -> None:
    assert tiny_policy().head is not None
    capped = Gemma2Config(
        vocab_size=22,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        intermediate_size=32,
        max_position_embeddings=128,
        final_logit_softcapping=0.5,
        eos_token_id=0,
        pad_token_id=0,
        bos_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(capped, attn_implementation="eager").eval()
    model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=0)
    policy = Policy(model, tiny_policy().tokenizer)
    assert policy.head is None
    ((completion,),) = sample(policy, ["1+2?"], 1, Sampling(max_tokens=4), [("a",)])
    with torch.no_grad():
        whole = (
            model(input_ids=torch.tensor([policy.encode("1+2?") + completion.token_ids]))
            .logits[0, 3:-1]
            .log_softmax(-1)
        )
    assert completion.logprobs == pytest.approx(
        [float(whole[t, i]) for t, i in enumerate(completion.token_ids)], abs=1e-4
    )


def test_the_identity_of_a_folder_is_that_of_its_weights(tmp_path: Path) -> None:
    policy = tiny_policy()
    policy.save(tmp_path / "a")
    policy.save(tmp_path / "b")
    assert Pretrained(str(tmp_path / "a")).identity() == Pretrained(str(tmp_path / "b")).identity()
    with torch.no_grad():
        next(policy.model.parameters()).add_(1.0)
    policy.save(tmp_path / "b")
    assert Pretrained(str(tmp_path / "a")).identity() != Pretrained(str(tmp_path / "b")).identity()
    assert Pretrained("somebody/some-model").identity() == "somebody/some-model"
    assert Pretrained("somebody/some-model").label == "some-model"
