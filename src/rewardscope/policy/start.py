"""Where a policy comes from before it is trained: a component, so that an arm can name it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rewardscope.policy.packaged import PACKAGED, packaged_folder
from rewardscope.policy.policy import Policy


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
    """A Hugging Face folder, a hub name, or a model that a Python package carries (``smollm2-135m-instruct``)."""

    name: str

    @property
    def label(self) -> str:
        """The last part of the name."""
        return self.name.rstrip("/").rsplit("/", 1)[-1]

    def identity(self) -> str:
        """SHA-256 of the weight files of a local folder or packaged model; the name itself for a hub model."""
        folder = packaged_folder(self.name) if self.name in PACKAGED else Path(self.name)
        digests = []
        for path in sorted(folder.glob("*.safetensors")):
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return ",".join(digests) or self.name

    def load(self, device: str = "cpu") -> Policy:
        """Reads the model; a packaged one is unpacked into the user's cache the first time.

        Raises:
            ModelError: If it cannot be found or read.
        """
        return Policy.load(packaged_folder(self.name) if self.name in PACKAGED else self.name, device=device)
