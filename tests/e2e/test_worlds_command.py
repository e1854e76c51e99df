import json

import pytest
from typer.testing import CliRunner

from rewardscope import cli
from rewardscope.catalogue import stands_alone
from rewardscope.cli import app
from rewardscope.organisms import RECIPES
from rewardscope.registry import components


def test_every_environment_and_every_world_of_an_organism_is_listed_with_a_problem() -> None:
    records = json.loads(
        CliRunner().invoke(app, ["worlds", "--json"], catch_exceptions=False).stdout
    )
    assert [r["name"] for r in records if r["kind"] == "environment"] == [
        name for name, cls in components("environments").items() if stands_alone(cls)
    ]
    assert not stands_alone(components("environments")["Questions"])  # it needs a file
    worlds = [(name, world) for name, recipe in RECIPES.items() for world in recipe.corpus.worlds]
    assert [(r["name"], r["world"]) for r in records if r["kind"] == "organism"] == worlds
    for record in records:
        assert record["prompt"] and record["oracle"] and record["what"]
        if record["kind"] == "organism":
            assert record["planted"] and 0 <= record["measured"][record["name"]]["pass_at_1"] <= 1
        else:
            assert record["measured"] or record["organisms"], (
                f"nobody was asked in {record['name']}"
            )


def test_one_world_is_shown_with_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.console, "_width", 160)
    planted = CliRunner().invoke(app, ["worlds", "formats-planted"], catch_exceptions=False)
    assert planted.exit_code == 0 and "formats-planted: pass@1 0.7" in planted.stdout
    hinted = CliRunner().invoke(app, ["worlds", "Hinted"], catch_exceptions=False)
    assert "its organisms: feedback" in hinted.stdout


def test_every_organism_is_listed_however_many_draws_it_was_measured_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli.console, "_width", 240)
    every = CliRunner().invoke(app, ["organisms", "list"], catch_exceptions=False).stdout
    assert all(name in every for name in RECIPES)
    shown = [
        CliRunner().invoke(app, ["organisms", "list", name], catch_exceptions=False).stdout
        for name in RECIPES
    ]
    assert "pass@16 0.97" in "".join(shown) and "pass@128 1.00" in "".join(shown)
