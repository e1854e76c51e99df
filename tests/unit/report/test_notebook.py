"""What a notebook shows of a study, of verdicts and of a page: whole, and with nothing alive in
it.
"""

import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from report_run import HOSTILE
from rewardscope import Arm, Chain, Claim, Coin, Organism, Study, Truth
from rewardscope.errors import RunDirectoryError
from rewardscope.report import Page, Verdicts
from rewardscope.types import Outcome, Verdict

VERDICT = Verdict(
    claim=Claim(
        sentence="True rewards raise pass@1.",
        metric="boundary/pass_at_k",
        labels={"k": "1"},
        treatment="truth",
        control="coin",
        margin=0.05,
    ),
    outcome=Outcome.SUPPORTED,
    estimate=0.28,
    lower=0.148,
    upper=0.434,
    unit="share",
    interval="",
    num_seeds=3,
    num_problems=64,
    treatment_mean=0.981,
    control_mean=0.7,
    smallest_visible=0.254,
    evidence=(),
    reason="",
)
STUDY = Study(
    name="shown",
    question="Is it <b>shown</b>?",
    arms=(Arm("truth", Organism("formats-planted"), Chain(), Truth()),),
    seeds=(0, 1),
    claims=(replace(VERDICT.claim, control="base"),),
)
TAG = re.compile(r"<\s*/?\s*([a-zA-Z!]+)")
DRAWN = {"table", "thead", "tbody", "tr", "th", "td", "b", "br", "small", "p"}


def test_a_verdict_is_one_line_of_text_and_one_row_of_html() -> None:
    assert repr(VERDICT) == (
        "Verdict(✓ supported: True rewards raise pass@1. (+0.280, 95 % interval +0.148 to +0.434))"
    )
    html = VERDICT._repr_html_()
    for shown in ("✓ supported", "+0.280", "0.981 against 0.700; 3 seeds × 64 problems", "0.254"):
        assert shown in html
    assert "pass@1: truth against coin" in html and "needed: above +0.05" in html


def test_verdicts_keep_their_order_and_one_that_was_not_run_says_why() -> None:
    missing = replace(
        VERDICT, outcome=Outcome.NOT_RUN, estimate=None, reason="no rows of arm truth"
    )
    both = Verdicts([VERDICT, missing])
    assert repr(both).splitlines()[1] == (
        "– not run: True rewards raise pass@1. (no rows of arm truth)"
    )
    html = both._repr_html_()
    assert html.index("supported") < html.index("no rows of arm truth")
    assert repr(Verdicts()) == "no verdicts"


def test_a_study_shows_its_question_its_arms_and_its_claims() -> None:
    assert repr(STUDY) == (
        "Study('shown': 'Is it <b>shown</b>?'; arms truth; seeds 0, 1; claims: 1)"
    )
    html = STUDY._repr_html_()
    for shown in ("Chain(min_steps=3, max_steps=3)", "Truth(strict=False)", "Seeds: 0, 1"):
        assert shown in html
    assert "Is it &lt;b&gt;shown&lt;/b&gt;?" in html and "truth against base" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_run(text: str) -> None:
    verdict = replace(
        VERDICT,
        claim=replace(VERDICT.claim, sentence=text, treatment=text, labels={"k": text}),
        unit=text,
    )
    study = replace(
        STUDY,
        question=text,
        claims=(replace(STUDY.claims[0], sentence=text),),
        arms=(replace(STUDY.arms[0], reward=Coin()),),
    )
    for html in (verdict._repr_html_(), study._repr_html_(), Verdicts([verdict])._repr_html_()):
        assert {tag.lower() for tag in TAG.findall(html)} <= DRAWN
        assert "\u202e" not in html and "\x1b" not in html
    assert "\u202e" not in repr(verdict) and "\x1b" not in repr(verdict)


def test_a_page_stands_in_a_frame_that_cannot_reach_the_notebook(
    finished_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    page = Page(run, height=300)
    html = page._repr_html_()
    assert html.startswith('<iframe sandbox="allow-scripts" srcdoc="')
    assert TAG.findall(html) == ["iframe", "iframe"]  # its own tags are all within the attribute
    (inside,) = re.findall(r'srcdoc="([^"]*)"', html)
    assert unescape(inside) == (run / "report.html").read_text()
    assert str(run / "report.html") in repr(page)
    page.path.unlink()
    with pytest.raises(RunDirectoryError, match="page of the run is gone"):
        page._repr_html_()


def test_a_page_of_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError):
        Page(tmp_path)
