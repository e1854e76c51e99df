import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # report_run.py, shared with tests/browser


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with every outcome and hostile completions, and its page; read it, do not
    change it.
    """
    from report_run import write_run
    from rewardscope.report import write_page

    root = write_run(tmp_path_factory.mktemp("run"))
    write_page(root)
    return root
