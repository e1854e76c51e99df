from collections.abc import Iterator

import pytest
from trl_cases import NUM_BATCHES, Case, case


@pytest.fixture(scope="package")
def cases() -> list[Case]:
    return [case(number) for number in range(NUM_BATCHES)]


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where trainers of the peer may write."""
    yield str(tmp_path_factory.mktemp("trl"))
