import dataclasses

import pytest
from rich.console import Console

from report_run import verdicts
from rewardscope.report import verdict_table
from rewardscope.types import Verdict


def printed(rows: tuple[Verdict, ...], width: int) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(verdict_table(rows))
        return console.export_text()


@pytest.mark.parametrize("width", [80, 140])
def test_every_outcome_fits_the_terminal(width: int) -> None:
    text = printed(verdicts(), width)
    for part in ("✓ supported", "✗ refuted", "? undecided", "– not run", "+0.352", "−0.061", "out of memory"):
        assert part in text
    assert max(map(len, text.splitlines())) <= width


def test_the_evidence_is_printed_whole() -> None:
    text = printed(verdicts(), 140)
    for part in (
        "−0.117, 95 % interval −0.176 to −0.061",
        "0.447 against 0.564; 3 seeds × 48 problems",
        "needed: above +0.02; smallest visible: 0.100",
    ):
        assert part in text


def test_markup_and_control_characters_do_nothing() -> None:
    claim = dataclasses.replace(verdicts()[0].claim, sentence="[bold red]x[/] \x1b[31m\u202e")
    text = printed((dataclasses.replace(verdicts()[0], claim=claim),), 140)
    assert "[bold red]x[/] ⟨U+001B⟩[31m⟨U+202E⟩" in text
