"""An instrument of one's own, in the study file: its rows, its section, its gaps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rewardscope.store import RunDirectory, StoredRun

STUDY = '''
from dataclasses import dataclass
from typing import ClassVar

from rewardscope import (
    Arm, Boundary, Chain, Claim, Coin, Evaluation, Learner, Organism, Sampling, Study, Truth,
)
from rewardscope.probes import Evidence, Need
from rewardscope.section import Chart, Line, Section


@dataclass(frozen=True)
class Colons:
    """How many colons a completion has."""

    metrics: ClassVar[tuple[str, ...]] = ("colons/mean",)
    section: ClassVar[Section] = Section(
        "colons", "Colons & <i>more</i>", "A colon stands before the answer.",
        lines=(Line("colons/mean", "colons in {ending} <b>texts</b>", "1 is usual"),),
        charts=(Chart("bars", "colons/mean", "Colons", "colons", by="ending"),),
    )

    def measure(self, evidence: Evidence):
        rows = []
        for ending in ("end_token", "length"):
            texts = [c.said for r in evidence.rollouts for c in r.completions if c.ending == ending]
            mean = sum(text.count(":") for text in texts) / len(texts) if texts else None
            rows.append(evidence.row("colons/mean", "colons", mean, n=len(texts),
                                     over="completions", labels={"ending": ending}))
        return rows


@dataclass(frozen=True)
class Plain:
    """Has no section."""

    metrics: ClassVar[tuple[str, ...]] = ("plain/number",)

    def measure(self, evidence: Evidence):
        return [evidence.row("plain/number", "share", 0.25, n=1, over="problems")]


@dataclass(frozen=True)
class Breaks:
    """Fails on trained policies."""

    metrics: ClassVar[tuple[str, ...]] = ("breaks/number",)

    def measure(self, evidence: Evidence):
        if evidence.seed is not None and BROKEN:
            return [1 / 0]
        return [evidence.row("breaks/number", "share", 0.5, n=1, over="problems")]


@dataclass(frozen=True)
class Lies:
    """Returns what it does not declare."""

    metrics: ClassVar[tuple[str, ...]] = ("lies/number",)

    def measure(self, evidence: Evidence):
        if not BROKEN:
            return [evidence.row("lies/number", "share", 0.5, n=1, over="problems")]
        return [evidence.row("boundary/pass_at_k", "share", 1.0, n=1, over="problems",
                             labels={"k": "1"})]


BROKEN = True


def arm(name, reward):
    return Arm(name=name, start=Organism("formats-planted"), environment=Chain(), reward=reward,
               learner=Learner(learning_rate=3e-4), sampling=Sampling(max_tokens=24), steps=2,
               problems_per_step=2, completions_per_problem=2, checkpoint_every=2)


study = Study(
    name="guests", question="Do guests measure?", arms=(arm("truth", Truth()), arm("coin", Coin())),
    seeds=(0,), evaluation=Evaluation(problems=4, draws=4, readings=1),
    probes=(Colons(), Breaks(), Lies(), Plain(), Boundary(max_k=4)),
    claims=(
        Claim(sentence="Truth breaks less.", metric="breaks/number", treatment="truth",
              control="coin"),
        Claim(sentence="Truth solves more.", metric="boundary/pass_at_k", labels={"k": "1"},
              treatment="truth", control="coin"),
    ),
)
'''


def rewardscope(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rewardscope.cli", *arguments]
    environment = {**os.environ, "COLUMNS": "160"}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a finished run with two broken instruments, and what the terminal said."""
    folder = tmp_path_factory.mktemp("guests")
    (folder / "guests.py").write_text(STUDY)
    done = rewardscope("run", "guests.py", "--out", "run", "--workers", "0", cwd=folder)
    assert done.returncode == 2, done.stdout + done.stderr
    return folder, done.stdout + done.stderr


def test_a_broken_instrument_costs_nothing_but_its_own_rows(ran: tuple[Path, str]) -> None:
    run = RunDirectory(ran[0] / "run")
    assert {cell.status()["state"] for cell in run.cells()} == {"done"}
    rows = run.measurements()
    by_metric = {row.metric: {r.arm for r in rows if r.metric == row.metric} for row in rows}
    trained = {"truth", "coin", "base:formats-planted"}
    for metric in ("colons/mean", "plain/number", "boundary/pass_at_k"):
        assert by_metric[metric] == trained
    assert by_metric["breaks/number"] == {"base:formats-planted"}
    gaps = {(gap.of.split(":")[1], gap.arm): gap for gap in run.gaps()}
    assert set(gaps) == {
        *((name, arm) for name in ("Breaks", "Lies") for arm in ("truth", "coin")),
        ("Lies", "base:formats-planted"),
    }
    assert gaps["Breaks", "truth"].failure == "ZeroDivisionError: division by zero"
    assert "return [1 / 0]" in gaps["Breaks", "truth"].trace
    assert "which is not among lies/number" in gaps["Lies", "coin"].failure


def test_the_claim_that_needs_it_is_not_run_and_says_why(ran: tuple[Path, str]) -> None:
    first, second = RunDirectory(ran[0] / "run").verdicts()
    assert first.outcome == "not_run"
    assert "Breaks (guests) failed: ZeroDivisionError: division by zero" in first.reason
    assert "truth, seed 0" in first.reason
    assert second.estimate is not None
    assert "Instruments failed" in ran[1]


def test_its_section_stands_on_the_page_as_text(ran: tuple[Path, str]) -> None:
    page = (ran[0] / "run" / "report.html").read_text()
    assert '<a href="#own-colons">Colons &amp; &lt;i&gt;more&lt;/i&gt;</a>' in page
    section = page.split('<section id="own-colons"')[1].split("</section>")[0]
    assert "colons in end token &lt;b&gt;texts&lt;/b&gt;<small>1 is usual</small>" in section
    assert 'data-chart="own-colons-1"' in section
    other = page.split('<section id="other"')[1].split("</section>")[0]
    assert "plain: number" in other and "0.250" in other
    assert "Breaks (guests) failed: ZeroDivisionError" in other
    assert "Breaks (guests) failed" in page.split('id="missing"')[1]


def test_the_page_is_made_without_torch_and_without_the_guests_code(
    ran: tuple[Path, str], tmp_path: Path
) -> None:
    before = (ran[0] / "run" / "report.html").read_text()
    (ran[0] / "guests.py").rename(ran[0] / "gone.py")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from rewardscope.report import write_page\n"
        f"write_page(Path({str(ran[0] / 'run')!r}))\n"
        "assert not [name for name in sys.modules if 'guests' in name or name == 'torch']"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    (ran[0] / "gone.py").rename(ran[0] / "guests.py")
    assert (ran[0] / "run" / "report.html").read_text() == before


def test_a_finished_run_is_a_run_source(ran: tuple[Path, str]) -> None:
    source = StoredRun(RunDirectory(ran[0] / "run"))
    assert (source.name, source.arms, source.seeds("truth")) == ("guests", ("truth", "coin"), (0,))
    assert source.steps("truth", 0) == (0, 1)
    assert len(list(source.rollouts("truth", 0, 1))) == 2
    assert len(list(source.held_out("truth", None))) == len(list(source.held_out("coin", 0))) == 4
    assert [row["step"] for row in source.metrics("coin", 0)] == [0, 1]
    assert list(source.checkpoints("truth", 0)) == [2]
    assert len(source.gaps) == 5


def test_what_failed_is_measured_again_and_nothing_is_trained_twice(ran: tuple[Path, str]) -> None:
    folder, run = ran[0], RunDirectory(ran[0] / "run")
    steps = {
        cell.path.name: (cell.path / "steps.parquet").stat().st_mtime_ns
        for cell in run.cells()
        if (cell.path / "steps.parquet").is_file()
    }
    (folder / "guests.py").write_text(STUDY.replace("BROKEN = True", "BROKEN = False"))
    done = rewardscope("run", "guests.py", "--out", "run", "--workers", "0", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not run.gaps()
    assert run.verdicts()[0].estimate == 0.0
    for name, written in steps.items():
        table = run.cell(name).path / "steps.parquet"
        assert table.stat().st_mtime_ns == written
    assert json.loads((run.root / "study.json").read_text())["sections"]
