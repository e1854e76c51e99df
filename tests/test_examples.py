"""Every example is run as its first lines say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
COMMAND = Path(sys.executable).with_name("rewardscope")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples beside the run that the first of them makes."""
    folder = tmp_path_factory.mktemp("examples") / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("runs"))
    run(COMMAND, "run", "own_reward.py", cwd=folder)
    return folder


def test_the_readme_lists_every_example() -> None:
    listed = set(re.findall(r"\(([\w.]+)\)", (EXAMPLES / "README.md").read_text()))
    kept = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    assert listed == kept


@pytest.mark.slow
def test_own_reward_and_a_finished_run_read_with_polars(folder: Path) -> None:
    read = run(sys.executable, "read_a_run.py", "runs/own-reward", cwd=folder)
    assert read.startswith("✓ supported: Paying the right completions raises pass@1")
    for table in ("base:formats-planted", "told_first", "prompt"):
        assert table in read


@pytest.mark.slow
def test_two_checkpoints(folder: Path) -> None:
    cells = folder / "runs/own-reward/cells"
    trained = sorted(cells.glob("brief--*/checkpoints/step_000008"))[:3]
    compared = run(sys.executable, "two_checkpoints.py", "formats-planted", *trained, cwd=folder)
    assert compared.count("of the weights changed") == 3 and compared.count("shuffled") == 3
    shares = [float(share) for share in re.findall(r": ([\d.]+)%", compared)]
    seen, shuffled = shares[0::2], shares[1::2]
    assert all(one > other for one, other in zip(seen, shuffled, strict=True))


def test_pass_at_k_of_stored_completions() -> None:
    told = run(sys.executable, "pass_at_k.py", "completions.csv", cwd=EXAMPLES)
    rows = [line.split(",")[0].split() for line in told.splitlines()]
    value = {(policy, k): float(mean) for policy, k, mean in rows}
    table = (EXAMPLES / "completions.csv").read_text().splitlines()[1:]
    for policy in ("base", "trained"):
        right = [line.endswith(",1") for line in table if line.startswith(f"{policy},")]
        assert value[policy, "pass@1"] == pytest.approx(sum(right) / len(right), abs=6e-4)
    difference = value["trained", "pass@1"] - value["base", "pass@1"]
    assert value["less", "pass@1"] == pytest.approx(difference, abs=2e-3)


def shown(cell: Any) -> dict[str, str]:
    """What the cell shows, by kind."""
    return {
        kind: text
        for output in cell.outputs
        if output.output_type == "execute_result"
        for kind, text in output.data.items()
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the notebook's own machinery
def test_the_notebook(folder: Path) -> None:
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "store it without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    study, _, verdicts, verdict, page, table = (
        shown(cell) for cell in notebook.cells if cell.cell_type == "code"
    )
    assert "Shuffled" in study["text/html"] and study["text/plain"].startswith("Study('own-reward'")
    assert verdicts["text/html"].count("<tr>") == 3 and "supported" in verdict["text/html"]
    assert verdict["text/plain"].startswith("Verdict(✓ supported")
    assert page["text/html"].startswith('<iframe sandbox="allow-scripts"')
    assert "weights/update_norm" in table["text/plain"]
