import gc
import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from rewardscope.policy import Policy

torch.set_num_threads(1)


def pytest_collection_finish() -> None:
    """Thousands of tests stay for the whole process: the collector need not walk over them again
    and again, half a second each time, in the middle of what a test measures.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def planted() -> "Policy":
    """The shipped organism; read it, do not train it: clone() first."""
    from rewardscope.organisms.organism import Organism

    return Organism("formats-planted").load()
