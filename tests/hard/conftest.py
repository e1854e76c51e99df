"""Where hard tests count what they tried."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

COUNTS = "REWARDSCOPE_HARD_COUNTS"
"""Environment variable with the file to which each test appends a JSON line of its counts."""


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Appends the counts of the test by its name."""

    def append(**counts: int) -> None:
        if COUNTS in os.environ:
            with Path(os.environ[COUNTS]).open("a") as file:
                file.write(json.dumps({"test": request.node.name, **counts}) + "\n")

    return append
