"""Where hard tests count what they tried."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

COUNTS = "REWARDSCOPE_HARD_COUNTS"
"""Environment variable with the file to which each test appends a JSON line of its counts."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves hard tests out, whatever else is selected, unless they are asked for by name."""
    if "hard" not in config.option.markexpr:
        hard = [item for item in items if item.get_closest_marker("hard")]
        items[:] = [item for item in items if item not in hard]
        config.hook.pytest_deselected(items=hard)


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Appends the counts of the test by its name."""

    def append(**counts: int) -> None:
        if COUNTS in os.environ:
            with Path(os.environ[COUNTS]).open("a") as file:
                file.write(json.dumps({"test": request.node.name, **counts}) + "\n")

    return append
