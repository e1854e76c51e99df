"""The figures that proved the instruments are there for each of them, and the command shows
them.
"""

import json

import pytest
from typer.testing import CliRunner

from rewardscope.cli import app
from rewardscope.probes import validation
from rewardscope.registry import components

SHOWN = {
    *components("probes"),
    "Agreement",
    "ClipBias",
    "ErrorAuroc",
    "Subnetwork",
    "Verdicts",
    *components("detectors"),
}


def test_every_instrument_was_pointed_at_something_known_and_at_nothing() -> None:
    checks = validation()
    assert {check["instrument"] for check in checks} == SHOWN
    for check in checks:
        assert check["held"] == (check["lowest"] <= check["found"] <= check["highest"]), check[
            "what"
        ]
        assert check["kind"] in ("sensitivity", "null", "coverage") and check["n"]


def test_the_command_lists_them_with_their_figures() -> None:
    records = json.loads(CliRunner().invoke(app, ["instruments", "--json"]).stdout)
    assert {record["name"] for record in records} == SHOWN
    assert all(record["checks"] and record["what"] for record in records)
    assert "0.966" in CliRunner().invoke(app, ["instruments"]).stdout


def test_a_figure_that_does_not_hold_makes_its_instrument_experimental(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = [{**check, "held": check["instrument"] != "Losses"} for check in validation()]
    monkeypatch.setattr("rewardscope.probes.validation", lambda: failed)
    assert CliRunner().invoke(app, ["instruments"]).stdout.count("experimental") == 1
