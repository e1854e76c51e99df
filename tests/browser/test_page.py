"""The page in a real browser: charts are drawn, nothing complains, planted scripts do not run."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from report_run import write_study
from rewardscope.report import write_page

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=20000",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


def dump(page: Path, profile: Path, *more: str) -> str:
    """The document after its scripts have run."""
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={profile}",
        *more,
        "--dump-dom",
        page.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=180).stdout


def root_tag(document: str) -> str:
    found = re.search(r"<html[^>]*>", document)
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def document(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return dump(finished_run / "report.html", tmp_path_factory.mktemp("profile"))


def test_every_chart_is_drawn_and_nothing_complains(document: str) -> None:
    assert 'data-charts="20 of 20"' in root_tag(document)
    assert "data-errors" not in root_tag(document), root_tag(document)
    assert len(re.findall(r"<svg[^>]*tabindex=\"0\"", document)) == 20


def test_charts_have_accessible_names(document: str) -> None:
    names = re.findall(r'aria-label="([^"]*)"', document)
    assert any(name.startswith("pass@k on held-out problems, strict extraction") for name in names)
    assert any(name.startswith("Norm of the update over norm of the weights") for name in names)


def test_a_planted_script_did_not_run(document: str) -> None:
    assert "data-planted" not in root_tag(document)
    assert "<script>document" not in document
    assert "<img" not in document.split("<script")[0]


def test_completions_are_side_by_side_tinted_and_readable(document: str) -> None:
    assert "After: sampled by planted-truth, seed 0, step 30" in document
    assert re.search(
        r'<span title="untrained −\d\.\d{3}, trained −\d\.\d{3}, change [+−]\d\.\d{3} nats" '
        r"data-says=",
        document,
    )
    assert (
        "background-color: rgba(var(--up)" in document
        and "background-color: rgba(var(--down)" in document
    )
    assert "&lt;script&gt;document" in document
    assert "⟨U+202E⟩gnp.exe" in document


def test_an_address_names_a_problem_and_filters_keep_those_that_fit(
    finished_run: Path, tmp_path: Path
) -> None:
    page = (finished_run / "report.html").as_uri()
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom"]
    address = f"{page}#completions/barren-coin/1/2"
    shown = subprocess.run(
        [*command, address], capture_output=True, text=True, check=True, timeout=180
    ).stdout
    assert 'data-browser="ready"' in root_tag(shown)
    assert "After: sampled by barren-coin (placebo), seed 1, step 30" in shown
    assert re.search(r"\d+ of \d+ problems on this page", shown)


def test_an_empty_run_draws_without_complaint(tmp_path: Path) -> None:
    write_study(tmp_path)
    tag = root_tag(dump(write_page(tmp_path), tmp_path / "profile"))
    assert 'data-charts="0 of 0"' in tag
    assert "data-errors" not in tag


@pytest.mark.parametrize("width", [500, 1400])
def test_the_page_is_no_wider_than_its_window(
    finished_run: Path, tmp_path: Path, width: int
) -> None:
    probe = tmp_path / "probe.html"
    script = (
        "const f = document.querySelector('iframe').contentDocument.documentElement; "
        "document.title = `${f.scrollWidth - f.clientWidth}`"
    )
    page = (finished_run / "report.html").as_uri()
    probe.write_text(
        f"<body style='margin:0'><iframe src='{page}' "
        f"style='border:0;height:900px;width:{width - 100}px'>"
        f"</iframe><script>setTimeout(() => {{ {script} }}, 15000)</script>"
    )
    text = dump(
        probe, tmp_path / "profile", f"--window-size={width},900", "--allow-file-access-from-files"
    )
    assert "<title>0</title>" in text
