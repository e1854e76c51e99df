import dataclasses

import pytest
from rich.console import Console

from report_run import verdicts
from rewardscope.report import verdict_table
from rewardscope.report.tables import subnetwork_table
from rewardscope.types import Verdict


def printed(rows: tuple[Verdict, ...], width: int) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(verdict_table(rows))
        return console.export_text()


@pytest.mark.parametrize("width", [80, 140])
def test_every_outcome_fits_the_terminal(width: int) -> None:
    text = printed(verdicts(), width)
    for part in (
        "✓ supported",
        "✗ refuted",
        "? undecided",
        "– not run",
        "+0.352",
        "−0.061",
        "out of memory",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= width


def test_no_number_is_lost_on_a_narrow_terminal() -> None:
    text = printed(verdicts(), 40)
    assert max(map(len, text.splitlines())) <= 40
    for part in ("+0.352", "−0.061", "0.447", "supported", "+0.02"):
        assert part in text


def test_names_and_numbers_of_subnetworks_are_folded_and_never_cut() -> None:
    estimate = {"value": 0.5, "lower": 0.25, "upper": 0.75}
    equal = {"1e-05": estimate, "0.0001": estimate}
    names = [
        f"{view}-{entries}"
        for view in ("bfloat16", "largest")
        for entries in ("changed", "random", "smallest", "other")
    ]
    row = {
        "trained_share": 0.1,
        "accuracy": estimate,
        "against_full": estimate,
        "against_random": estimate,
        "moved_outside": 0,
        "update_norm": 0.31,
    }
    arms = [{"arm": name, **row, "equal": equal, "equal_untrained": equal} for name in names]
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(subnetwork_table({"untrained": estimate, "arms": arms, "seeds": [0, 1]}))
        text = console.export_text()
    assert "…" not in text
    first = "".join(
        line.split("  ")[1].strip() for line in text.splitlines() if line.startswith("  ")
    )
    assert all(name in first for name in names)


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
