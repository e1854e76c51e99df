"""Work for runners; it stands apart so that a worker imports nothing heavy for it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Notes:
    """Writes down what it does; a name says what becomes of it."""

    folder: Path

    def begin(self) -> None:
        (self.folder / f"begun-{os.getpid()}").touch()

    def __call__(self, name: str) -> str | None:
        attempts = len(list(self.folder.glob(f"{name}-*")))
        (self.folder / f"{name}-{attempts}").touch()
        if name.startswith("failing"):
            return "as it was asked to"
        if name.startswith("broken"):
            raise ValueError("a mistake in the work itself")
        if name.startswith("dying") and not attempts:
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("endless"):
            time.sleep(3600)
        return None


@dataclass
class Pinned:
    """Writes down which GPU it may see; a name says what becomes of it."""

    folder: Path
    slots: tuple[dict[str, str], ...]

    def begin(self) -> None:
        pass

    def __call__(self, name: str) -> str | None:
        attempts = len(list(self.folder.glob(f"{name}-*")))
        (self.folder / f"{name}-{attempts}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        if name.startswith("dying") and not attempts:
            os.kill(os.getpid(), signal.SIGKILL)
        while len(list(self.folder.glob("*-0"))) < len(self.slots):  # until all slots are at work
            time.sleep(0.01)
        return None


@dataclass
class Unable:
    def begin(self) -> None:
        raise OSError("no room")

    def __call__(self, name: str) -> str | None:
        raise AssertionError("never reached")
