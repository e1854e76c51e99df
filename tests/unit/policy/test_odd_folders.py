"""Models' folders that would hang, fill the memory or lose the prompt are refused in seconds."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from factories import tiny_policy
from rewardscope.errors import ModelError
from rewardscope.policy import Policy
from rewardscope.policy.start import Pretrained

ECHO = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
FOR_EVER = "{% for a in range(9999) %}" * 3 + "{{ a }}" + "{% endfor %}" * 3


def setting(file: str, **changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / file
        old = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(old | changes))

    return change


def template(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "chat_template.jinja").write_text(text) and None


def weights(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        make(folder / "model.safetensors")

    return change


def normalizer_that_drops_all(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["normalizer"] = {"type": "Replace", "pattern": {"Regex": "."}, "content": ""}
    path.write_text(json.dumps(tokenizer))


def empty_vocabulary(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["vocab"], tokenizer["added_tokens"] = {}, []
    tokenizer["post_processor"] = None
    path.write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')


CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe": (weights(os.mkfifo), "is no file, and might never end"),
    "a device": (weights(lambda path: path.symlink_to("/dev/zero")), "is no file, and might"),
    "a circle": (weights(lambda path: path.symlink_to(path)), "cannot be read|has no weights"),
    "half a header": (weights(lambda path: path.write_bytes(b"\x00" * 3)), "weights is damaged"),
    "a header without end": (
        weights(lambda path: path.write_bytes(b"\xff" * 7 + b"\x0f" + b"{}")),
        "weights is damaged",
    ),
    "a million layers": (setting("config.json", num_hidden_layers=10**6), "weights cannot fill"),
    "a wide model": (setting("config.json", hidden_size=10**9), "weights cannot fill"),
    "a large vocabulary": (setting("config.json", vocab_size=10**6), "weights cannot fill"),
    "a list for a config": (
        lambda folder: (folder / "config.json").write_text("[1]") and None,
        "no JSON object",
    ),
    "deep JSON": (
        lambda folder: (folder / "config.json").write_text("[" * 10**5) and None,
        "not JSON",
    ),
    "odd end token": (setting("generation_config.json", eos_token_id="</s>"), "no numbers"),
    "odd end tokens": (setting("generation_config.json", eos_token_id=[0, [1]]), "no numbers"),
    "a template without end": (template(FOR_EVER), "cannot be run on a prompt of one line"),
    "a template that multiplies": (
        template("{{ messages[0]['content'] * 10**9 }}"),
        "cannot be run on a prompt of one line",
    ),
    "a template that doubles": (
        template("{{ messages[0]['content'] * 10**6 }}"),
        "cannot be run on a prompt of one line",
    ),
    "a template that reaches out": (
        template("{{ messages.__class__.__mro__[1].__subclasses__() }}"),
        "cannot be run on a prompt of one line. Got: .*SecurityError",
    ),
    "a template that is none": (template("{% for %}"), "cannot be run"),
    "a template without the prompt": (template("Hello!"), "template loses the prompt"),
    "a template that changes the prompt": (
        template("{{ messages[0]['content'] | upper }}"),
        "template loses the prompt",
    ),
    "a normalizer that drops all": (normalizer_that_drops_all, "tokenizer loses the prompt"),
    "no vocabulary": (empty_vocabulary, "no tokens|loses the prompt|could not be loaded"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_folder_that_would_hang_or_lie_is_refused_in_our_form(case: str, tmp_path: Path) -> None:
    change, message = CASES[case]
    tiny_policy().save(tmp_path)
    change(tmp_path)
    started = time.process_time()
    with pytest.raises(ModelError, match=message) as refused:
        Policy.load(tmp_path)
    assert "Got:" in str(refused.value) and "Allowed:" in str(refused.value)
    assert time.process_time() - started < 10


def test_the_digest_of_a_folder_reads_no_pipe(tmp_path: Path) -> None:
    tiny_policy().save(tmp_path)
    weights(os.mkfifo)(tmp_path)
    with pytest.raises(ModelError, match="might never end"):
        Pretrained(str(tmp_path)).identity()


def test_a_plain_template_is_taken(tmp_path: Path) -> None:
    tiny_policy().save(tmp_path)
    template(ECHO)(tmp_path)
    assert Policy.load(tmp_path).encode("3+4?") == tiny_policy().encode("3+4?")
