"""The figures that proved the instruments are there for each of them, and the command shows
them.
"""

import json
from importlib.metadata import EntryPoint

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
    shown = CliRunner().invoke(app, ["instruments", "Boundary"]).stdout
    coverage = next(
        check["found"]
        for record in records
        if record["name"] == "Boundary"
        for check in record["checks"]
        if check["kind"] == "coverage"
    )
    assert f"{coverage:.3g}" in shown


def test_a_figure_that_does_not_hold_makes_its_instrument_experimental(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = [{**check, "held": check["instrument"] != "Losses"} for check in validation()]
    monkeypatch.setattr("rewardscope.outline.validation", lambda: failed)
    assert CliRunner().invoke(app, ["instruments"]).stdout.count("experimental") == 1


def test_what_an_installed_package_offers_is_listed_with_its_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = ("rewardscope.probes.losses:Losses", "nowhere.at_all:Ear")
    entries = {value: EntryPoint("", value, "rewardscope.probes") for value in values}
    monkeypatch.setattr("rewardscope.catalogue.offered", lambda kind: entries)
    records = json.loads(CliRunner().invoke(app, ["instruments", "--json"]).stdout)
    found = {record["name"]: record for record in records}
    assert "the policy itself" in found[values[0]]["needs"]
    assert found["Boundary"]["uses"] == ["the untrained policy's completions"]
    assert found[values[1]]["what"].startswith("cannot be used")
    assert found[values[1]]["package"] == "unknown"
    assert "not validated" in CliRunner().invoke(app, ["instruments", values[0]]).stdout
