"""Several runs beside each other: what they share, in what they differ, and what the page says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from answer_runs import against, arm, base_rows, first_try, run, verdict
from rewardscope.errors import RunDirectoryError
from rewardscope.report.beside import measured, render_beside, settings, shared_claims, write_beside
from rewardscope.report.rows import Run


def _run(root: str, gain: float, **more: Any) -> Run:
    rate, study = more.pop("rate", 1e-3), more
    arms = [
        arm("truth", learner={"is": "Learner", "learning_rate": rate, "epochs": 1}),
        arm("coin", reward="Coin", learner={"is": "Learner", "learning_rate": rate, "epochs": 1}),
    ]
    interval = (gain, gain - 0.02, gain + 0.02)
    found = verdict(
        against("truth", "coin", margin=study.pop("margin", 0.05)), interval, (0.7, 0.4)
    )
    base = base_rows("one", "boundary/pass_at_k", 0.4, k="1")
    rows = [*base, *first_try(arms[0], 0.6, 0.7, 0.8), *first_try(arms[1], 0.4)]
    return replace(run(arms, rows, [found], **study), root=Path(root))


def test_a_shared_claim_keeps_each_runs_verdict_and_says_where_margins_differ() -> None:
    [shared] = shared_claims([_run("a", 0.3), _run("b", 0.01, margin=0.1)])
    assert [v.outcome.value for v in shared.verdicts if v] == ["supported", "refuted"]
    assert shared.margins == "above +0.05; above +0.1"
    assert not shared_claims([_run("a", 0.3), _run("b", 0.3)])[0].margins


def test_a_claim_of_one_run_is_counted_and_not_shared() -> None:
    other = against("coin", "base", expects="same")
    runs = [_run("a", 0.3), replace(_run("b", 0.3), verdicts=(verdict(other, None, (0, 0)),))]
    assert shared_claims(runs) == []
    assert "1 more claim of its own" in render_beside(runs, Path())


def test_means_are_over_seeds_and_a_run_without_the_metric_says_so() -> None:
    runs = [_run("a", 0.3), _run("b", 0.3), replace(run([arm("truth")], []), root=Path("c"))]
    [first] = measured(runs)
    truth, coin = first.policies[0]
    assert first.metric == "pass@1" and truth.mean == pytest.approx(0.7) and truth.untrained == 0.4
    assert coin.placebo and coin.values == (0.4,)
    assert first.policies[2] == ()
    assert "not measured" in render_beside(runs, Path())


def test_settings_that_differ_are_named_field_by_field() -> None:
    runs = [_run("a", 0.3), _run("b", 0.3, rate=1e-4, version="2")]
    assert {(s.name, s.values) for s in settings(runs)} == {
        ("version", ("none", "2")),
        ("truth: learner.learning_rate", ("0.001", "0.0001")),
        ("coin: learner.learning_rate", ("0.001", "0.0001")),
    }


def test_runs_are_called_by_what_tells_them_apart_and_texts_are_escaped() -> None:
    runs = [
        _run("one/runs/tour", 0.3, question="<script>alert(1)</script>"),
        _run("two/runs/tour", 0.3),
    ]
    page = render_beside(runs, Path())
    assert ">one/runs/tour<" in page and 'href="two/runs/tour/report.html"' in page
    assert "<script" not in page and "&lt;script&gt;" in page


def test_one_run_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="two or more, each named once"):
        write_beside([tmp_path, tmp_path / "x" / ".."], tmp_path / "runs.html")
    assert not (tmp_path / "runs.html").exists()


def test_the_page_of_finished_runs(finished_run: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    for file in finished_run.rglob("*"):
        if file.is_file():
            target = second / file.relative_to(finished_run)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    page = write_beside([finished_run, second], tmp_path / "runs.html").read_text()
    assert page.count("formats-planted") > 4 and "In none that study.json records." in page
