"""What a model's folder must be before anything is built from it: files that end, a configuration
that its weights can fill, a chat template that ends and lets the prompt through.

Folders come from strangers. Loading one may cost the time and memory that its weights' bytes are
worth, and no more.
"""

import contextlib
import json
import os
import select
import signal
import stat
import struct
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from rewardscope.errors import ModelError

READ = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
"""The files that loading reads."""
MOST_BYTES = {"config.json": 2**20, "generation_config.json": 2**20, "chat_template.jinja": 2**20}
MOST_TEXT_BYTES, MOST_HEADER_BYTES = 2**28, 10**8
"""Of any other file but the weights; of the header of a file of weights."""
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
WIDTHS = ("hidden_size", "n_embd", "d_model", "dim")
TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")
TEMPLATE_SECONDS, TEMPLATE_BYTES, MOST_RENDERED = 5, 2**30, 2**20
"""A chat template may take so long, and so much memory, and make so many characters of a prompt of
one line.
"""
PROMPTS = ("What is 3 + 4?", "Name a colour of the sky: blue or green.")


def check_folder(folder: Path) -> None:
    """Reads the folder's small files and the headers of its weights; nothing is built.

    Raises:
        ModelError: If a file is no regular file, is cut off, is far too large or is not JSON; if
            the configuration describes layers or widths that the weights cannot fill; if the
            generation configuration names tokens that are no numbers.
    """
    for path in sorted({path for pattern in READ for path in folder.glob(pattern)}):
        _check_file(path)
    config = _json_object(folder / "config.json")
    tensors = [shape for path in folder.glob("*.safetensors") for shape in _shapes(path)]
    elements = sum(tensors)
    for part in _parts(config):
        _check_size(folder, part, len(tensors), elements)
    _check_tokens(folder / "generation_config.json")


def _fault(what: str, value: object, allowed: str, do: str = "") -> ModelError:
    return ModelError(
        what, value=value, allowed=allowed, do=do or "Save the model again with save_pretrained"
    )


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except OSError as error:  # a link to nothing, or a circle of links
        raise _fault(
            "A file of the model's folder cannot be read", f"{path}: {error.strerror}", "files"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise _fault(
            "The model's folder holds what is no file, and might never end",
            path,
            "regular files, or links to them",
        )
    most = MOST_BYTES.get(path.name, MOST_TEXT_BYTES)
    if path.suffix != ".safetensors" and status.st_size > most:
        raise _fault(
            "A file of the model's folder is too large",
            f"{path}: {status.st_size:,} bytes",
            f"up to {most:,}",
        )


def _json_object(path: Path) -> dict[str, Any]:
    """The file's JSON; empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _fault(
            "A file of the model's folder is not JSON", f"{path}: {error}", "a JSON object"
        ) from error
    if not isinstance(read, dict):
        raise _fault("A file of the model's folder is no JSON object", path, "a JSON object")
    return read


def _shapes(path: Path) -> Iterator[int]:
    """How many numbers each tensor of the file has, by its header."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(MOST_HEADER_BYTES, path.stat().st_size):
                raise ValueError(f"a header of {length:,} bytes")
            header = json.loads(file.read(length))
        for name, tensor in header.items():
            if name != "__metadata__":
                size = 1
                for extent in tensor["shape"]:
                    size *= int(extent)
                yield size
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise _fault(
            "The model could not be loaded: a file of weights is damaged",
            f"{path}: {error}",
            "safetensors, whole",
        ) from error


def _parts(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The configuration, and those of the models in it."""
    yield config
    yield from (part for part in config.values() if isinstance(part, dict))


def _check_size(folder: Path, config: dict[str, Any], tensors: int, elements: int) -> None:
    for name in (*LAYERS, *WIDTHS, "vocab_size", "intermediate_size"):
        value = config.get(name)
        most = tensors if name in LAYERS else elements
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > most:
            raise _fault(
                "config.json describes a model that its weights cannot fill",
                f"{folder}: {name} is {value:,}; the weights are {tensors} tensors, "
                f"{elements:,} numbers",
                f"up to {most:,}",
            )
    vocabulary = config.get("vocab_size")
    width = next((config[name] for name in WIDTHS if name in config), None)
    if isinstance(vocabulary, int) and isinstance(width, int) and vocabulary * width > elements:
        raise _fault(
            "config.json describes an embedding that its weights cannot fill",
            f"{folder}: {vocabulary:,} tokens of width {width:,}; the weights are "
            f"{elements:,} numbers",
            "weights of the model that config.json describes",
        )


def _check_tokens(path: Path) -> None:
    for name, value in _json_object(path).items():
        ids = value if isinstance(value, list) else [value]
        if name in TOKEN_IDS and not all(
            each is None or (isinstance(each, int) and not isinstance(each, bool)) for each in ids
        ):
            raise _fault(
                "generation_config.json names tokens that are no numbers",
                f"{path}: {name} is {value!r}",
                "a token's number, or a list of them",
            )


def check_tokenizer(name: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """Tries the tokenizer and its chat template on prompts of one line, the template in a process
    of its own.

    Raises:
        ModelError: If the vocabulary is empty; if different texts become the same tokens or none;
            if the template takes too long, makes too much, cannot be run, or loses the prompt.
    """
    if len(tokenizer) == 0:
        raise _fault("The tokenizer has no tokens", name, "a vocabulary")
    if not _keeps_apart(tokenizer, PROMPTS) and not _keeps_apart(tokenizer, _own(tokenizer)):
        raise _fault(
            "The tokenizer loses the prompt: different texts become the same tokens",
            f"{name}: {' and '.join(map(repr, PROMPTS))}",
            "a tokenizer that keeps a text apart from others",
            "Look at its normalizer",
        )
    if tokenizer.chat_template is not None and hasattr(os, "fork"):
        for prompt in PROMPTS:
            rendered = _rendered(name, tokenizer, prompt)
            if prompt not in rendered:
                raise _fault(
                    "The chat template loses the prompt",
                    f"{name}: {prompt!r} becomes {rendered[:200]!r}",
                    "a template that writes the user's message as it is",
                    "Mend chat_template, or remove it for a model without one",
                )


def _keeps_apart(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> bool:
    """Whether some two of the texts become different tokens, and none that are no tokens at all."""
    written = {tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts}
    return len(written - {()}) > 1


def _own(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Some texts in the tokenizer's own alphabet, which may be a handful of digits."""
    special = set(tokenizer.all_special_ids)
    first = [number for number in range(min(len(tokenizer), 300)) if number not in special]
    return [text for text in (tokenizer.decode([number]) for number in first) if text.strip()][:50]


def _rendered(name: str, tokenizer: PreTrainedTokenizerBase, prompt: str) -> str:
    """What the template makes of the prompt, in a child that has so much time and memory."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # the child only renders: it takes no lock that another thread might hold
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _render(tokenizer, prompt, writing)
    os.close(writing)
    said = bytearray()
    deadline = time.monotonic() + 4 * TEMPLATE_SECONDS
    try:
        while time.monotonic() < deadline and len(said) <= 8 * MOST_RENDERED:
            if select.select([reading], [], [], 0.1)[0]:
                piece = os.read(reading, 2**16)
                if not piece:
                    break
                said += piece
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    try:
        outcome = json.loads(said)
    except ValueError:
        outcome = {"fault": f"it took over {TEMPLATE_SECONDS} s, or {TEMPLATE_BYTES:,} bytes"}
    if "fault" in outcome:
        raise _fault(
            "The chat template cannot be run on a prompt of one line",
            f"{name}: {outcome['fault']}",
            f"a template that ends within {TEMPLATE_SECONDS} s and makes at most "
            f"{MOST_RENDERED:,} characters",
            "Mend chat_template, or remove it for a model without one",
        )
    return str(outcome["text"])


def _render(tokenizer: PreTrainedTokenizerBase, prompt: str, writing: int) -> None:
    """Runs in the child, and ends it."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0]) if _has_proc() else 0
        held = pages * resource.getpagesize() + TEMPLATE_BYTES
        resource.setrlimit(resource.RLIMIT_CPU, (TEMPLATE_SECONDS, TEMPLATE_SECONDS))
        if pages:
            resource.setrlimit(resource.RLIMIT_AS, (held, held))
        text = str(
            tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
            )
        )
        outcome = (
            {"fault": f"it made {len(text):,} characters"}
            if len(text) > MOST_RENDERED
            else {"text": text}
        )
    except BaseException as error:
        outcome = {"fault": f"{type(error).__name__}: {str(error)[:200]}"}
    with contextlib.suppress(OSError), os.fdopen(writing, "w") as pipe:
        json.dump(outcome, pipe)
    os._exit(0)


def _has_proc() -> bool:
    return Path("/proc/self/statm").exists()
