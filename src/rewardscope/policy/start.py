"""Where a policy comes from before it is trained: a component, so that an arm can name it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from rewardscope.errors import ModelError
from rewardscope.policy.folders import check_folder
from rewardscope.policy.packaged import PACKAGED, packaged_folder
from rewardscope.policy.policy import Policy

HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""What a model on the hub may be called; every other name is a folder's."""


@runtime_checkable
class Start(Protocol):
    """An untrained policy by name."""

    @property
    def label(self) -> str:
        """What pages and measurements call it."""

    def identity(self) -> str:
        """What determines its weights: part of the signature of every cell that starts from it."""

    def load(self, device: str = "cpu") -> Policy:
        """A fresh copy of the policy on the device."""


@dataclass(frozen=True)
class Pretrained:
    """A Hugging Face folder, a hub name, or a model that a Python package carries
    (``smollm2-135m-instruct``).
    """

    name: str

    @property
    def label(self) -> str:
        """The last part of the name."""
        return self.name.rstrip("/").rsplit("/", 1)[-1]

    def identity(self) -> str:
        """SHA-256 of the weight files of a local folder or packaged model; the name itself for a
        hub model.

        Raises:
            ModelError: If the name can only be a folder's and there is none, or the folder holds no
                weights: before a cell is begun.
        """
        folder = packaged_folder(self.name) if self.name in PACKAGED else Path(self.name)
        if not folder.is_dir() and HUB_NAME.fullmatch(self.name):
            return self.name
        if folder.is_dir():
            check_folder(folder)  # a pipe in place of the weights would be read for ever
        digests = []
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        if not digests:
            raise ModelError(
                "The model's folder holds no safetensors"
                if folder.is_dir()
                else "There is no such folder",
                value=folder,
                allowed="a folder with config.json, tokenizer and *.safetensors",
                do="Give the folder that transformers' save_pretrained wrote, or a hub name such "
                "as owner/model",
            )
        return ",".join(digests)

    def load(self, device: str = "cpu") -> Policy:
        """Reads the model; a packaged one is unpacked into the user's cache the first time.

        Raises:
            ModelError: If it cannot be found or read.
        """
        return Policy.load(
            packaged_folder(self.name) if self.name in PACKAGED else self.name, device=device
        )
