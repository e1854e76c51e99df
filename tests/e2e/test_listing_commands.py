"""What listing commands print: a line each, at once, without loading what they list."""

import dataclasses
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from rewardscope import cli
from rewardscope.cli import app
from rewardscope.outline import instruments, organism_cards, outline, outlines
from rewardscope.registry import ANALYSES, BUILT_IN, components

LISTS = (["methods"], ["instruments"], ["worlds"], ["organisms", "list"], ["methods", "Coin"])
LOADED = """
import resource, sys
from rewardscope.cli import main
sys.argv = ["rewardscope", *sys.argv[1:]]
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    heavy = [m for m in ("torch", "transformers", "scipy", "polars") if m in sys.modules]
    print(heavy, used.ru_utime, file=sys.stderr)
"""


def shown(*arguments: str, width: int = 80, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(cli.console, "_width", width)
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("arguments", LISTS, ids=" ".join)
def test_a_list_loads_neither_torch_nor_the_like_and_is_there_in_a_second(
    arguments: list[str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True
    )
    heavy, _, seconds = done.stderr.strip().splitlines()[-1].rpartition(" ")
    assert heavy == "[]" and float(seconds) < 2.0, done.stderr  # 0.3 to 0.7 s alone


@pytest.mark.parametrize("arguments", LISTS[:4], ids=" ".join)
def test_a_list_has_a_line_for_each_in_eighty_columns(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown(*arguments, monkeypatch=monkeypatch).splitlines()
    assert max(map(len, lines)) <= 80
    names = {line.split()[0] for line in lines if line.startswith("  ")}
    expected = {
        "methods": {name for some in BUILT_IN.values() for name in some},
        "instruments": {*BUILT_IN["probes"], *BUILT_IN["detectors"], *ANALYSES},
        "worlds": {*BUILT_IN["environments"], *organism_cards()},
        "organisms": set(organism_cards()),
    }[arguments[0]]
    assert expected <= names and len(lines) <= len(names) + 2 * len(BUILT_IN)


def test_one_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    coin = shown("methods", "Coin", monkeypatch=monkeypatch)
    assert "p: float = 0.5" in coin and "arXiv:2506.10947" in coin and "rewards/coin.py" in coin
    boundary = shown("instruments", "Boundary", monkeypatch=monkeypatch)
    assert "validated by" in boundary and "boundary/pass_at_k" in boundary
    planted = shown("organisms", "list", "formats-planted", monkeypatch=monkeypatch)
    assert "stepwise 0.55" in planted and "chains" in planted


def test_a_kind_alone_and_what_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    rewards = shown("methods", "--kind", "rewards", monkeypatch=monkeypatch)
    assert "Coin" in rewards and "GroupMean" not in rewards
    assert "placebo: " in rewards
    records = json.loads(shown("methods", "Coin", "--json", monkeypatch=monkeypatch))
    assert [record["name"] for record in records] == ["Coin"]
    for wrong in (["methods", "coin"], ["methods", "--kind", "prizes"], ["worlds", "Nowhere"]):
        with pytest.raises(Exception, match=r"There is no|nothing of this name"):
            CliRunner().invoke(app, wrong, catch_exceptions=False)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_the_source_says_is_what_the_class_says(kind: str) -> None:
    for name, cls in components(kind).items():
        one = outline(name, {kind: BUILT_IN[kind]})
        declared = {f.name for f in one.fields}
        fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
        assert declared == {field.name for field in fields}, name
        assert one.summary and one.placebo == (getattr(cls, "placebo", False) is True), name


def test_every_instrument_has_an_outline() -> None:
    assert all(one.summary for one in outlines(instruments()))
