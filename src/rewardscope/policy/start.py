"""Where a policy comes from before it is trained: a component, so that an arm can name it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from rewardscope.errors import ModelError
from rewardscope.identity import file_digest
from rewardscope.policy.folders import check_folder
from rewardscope.policy.packaged import PACKAGED, packaged_folder
from rewardscope.policy.policy import Policy

DECIDING = (".safetensors", ".json", ".jinja", ".model", ".txt")
"""Endings of files that decide how a model behaves; a README or a picture does not."""
HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""What a model on the hub may be called; every other name is a folder's."""


@dataclass(frozen=True)
class Pretrained:
    """A Hugging Face folder, a hub name, or a model that a Python package carries
    (``smollm2-135m-instruct``).
    """

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ModelError(
                "A pretrained model goes by a name",
                value=f"{type(self.name).__name__} {str(self.name)!r}",
                allowed="a text: a folder, owner/model on the hub, or a model of a package",
                do=f"Write Pretrained({str(self.name)!r}), or Pretrained(str(path))",
            )

    @property
    def label(self) -> str:
        """The last part of the name."""
        return self.name.rstrip("/").rsplit("/", 1)[-1]

    def identity(self) -> str:
        """What decides how the model behaves: SHA-256 over the names and contents of its folder's
        weights, configuration, tokenizer and chat template. A hub model is fetched for it; of one
        that cannot be, the name.

        Raises:
            ModelError: If the name can only be a folder's and there is none, or the folder holds no
                weights: before a cell is begun.
        """
        folder = self.folder()
        if folder is None:
            return self.name
        check_folder(folder)  # a pipe in place of the weights would be read for ever
        files = sorted(path for path in folder.iterdir() if path.suffix in DECIDING)
        if not any(path.suffix == ".safetensors" for path in files):
            raise ModelError(
                "The model's folder holds no safetensors",
                value=folder,
                allowed="a folder with config.json, tokenizer and *.safetensors",
                do="Give the folder that transformers' save_pretrained wrote, or a hub name such "
                "as owner/model",
            )
        digest = hashlib.sha256()
        for path in files:
            digest.update(f"{path.name} {file_digest(path)}\n".encode())
        return digest.hexdigest()

    def folder(self) -> Path | None:
        """Where the model's files are; None for a hub model that was never fetched.

        Raises:
            ModelError: If the name can only be a folder's, and there is none.
        """
        if self.name in PACKAGED:
            return packaged_folder(self.name)
        if Path(self.name).is_dir():
            return Path(self.name)
        if HUB_NAME.fullmatch(self.name):
            return _snapshot(self.name)
        raise ModelError(
            "There is no such folder",
            value=self.name,
            allowed="a folder with config.json, tokenizer and *.safetensors",
            do="Give the folder that transformers' save_pretrained wrote, or a hub name such as "
            "owner/model",
        )

    def load(self, device: str = "cpu") -> Policy:
        """Reads the model; a packaged one is unpacked into the user's cache the first time.

        Raises:
            ModelError: If it cannot be found or read, or was written to meanwhile.
        """
        folder = self.folder()
        if folder is None:
            return Policy.load(self.name, device=device)
        before = self.identity()
        policy = Policy.load(folder, device=device)  # never the name: the hub may have moved on
        if self.identity() != before:
            raise ModelError(
                "The model's files changed while they were read",
                value=folder,
                do="Run again when nothing writes there",
            )
        return policy


def _snapshot(name: str) -> Path | None:
    """Folder of the one revision of a hub model that is in the cache, which is what is digested and
    loaded; fetched where it is not there. None where it cannot be.
    """
    config = try_to_load_from_cache(name, "config.json")
    if isinstance(config, str) and any(Path(config).parent.glob("*.safetensors")):
        return Path(config).parent
    try:
        return Path(snapshot_download(name, allow_patterns=[f"*{ending}" for ending in DECIDING]))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None  # not in the cache and not within reach: loading it says so
