import json

import pytest
from typer.testing import CliRunner

from rewardscope import cli
from rewardscope.cli import app
from rewardscope.environments import ENVIRONMENTS
from rewardscope.organisms import RECIPES


def test_every_environment_and_every_world_of_an_organism_is_listed_with_a_problem_and_its_oracle() -> None:
    records = json.loads(CliRunner().invoke(app, ["worlds", "--json"], catch_exceptions=False).stdout)
    assert [r["name"] for r in records if r["kind"] == "environment"] == list(ENVIRONMENTS)
    worlds = [(name, world) for name, recipe in RECIPES.items() for world in recipe.corpus.worlds]
    assert [(r["name"], r["world"]) for r in records if r["kind"] == "organism"] == worlds
    for record in records:
        assert record["prompt"] and record["oracle"] and record["what"]
        if record["kind"] == "organism":
            assert record["planted"] and 0 <= record["measured"][record["name"]]["pass_at_1"] <= 1


def test_the_table_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.console, "_width", 160)
    shown = CliRunner().invoke(app, ["worlds"], catch_exceptions=False)
    assert shown.exit_code == 0 and "formats-planted: pass@1 0.7" in shown.stdout
