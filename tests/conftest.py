import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from rewardscope.policy import Policy

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def planted() -> "Policy":
    """The shipped organism; read it, do not train it: clone() first."""
    from rewardscope.organisms.organism import Organism

    return Organism("formats-planted").load()
