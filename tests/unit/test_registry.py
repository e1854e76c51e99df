"""Guests that an installed package offers, and names that are alike."""

import subprocess
import sys
from pathlib import Path

import pytest

from rewardscope.codec import decode, encode
from rewardscope.errors import ComponentError
from rewardscope.registry import class_of, function_of, is_guest, name_of

MODULE = '''from dataclasses import dataclass
from typing import ClassVar

from rewardscope import Rewards


@dataclass(frozen=True)
class Coin:
    """Somebody's own coin."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    def __call__(self, view, address):
        return Rewards(tuple(1.0 for _ in view.completions))


def grade(prompt, completion, answer):
    return completion == answer
'''


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of an installed package that offers a reward called as one of ours is."""
    (tmp_path / "theirs.py").write_text(MODULE)
    info = tmp_path / "theirs-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 2.5\n")
    (info / "RECORD").write_text("theirs.py,,\n")
    (info / "entry_points.txt").write_text(
        "[rewardscope.rewards]\nCoin = theirs:Coin\nGone = theirs:Gone\n"
    )
    return tmp_path


def in_a_process(folder: Path, program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(folder)!r})\n{program}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_what_a_package_offers_is_listed_by_its_qualified_name(installed: Path) -> None:
    program = (
        "from rewardscope.catalogue import as_records\n"
        "for r in as_records():\n"
        "    if r['package'] or r['name'] == 'Coin': print(r['name'], r['package'], r['what'])"
    )
    ours, theirs, gone = in_a_process(installed, program).splitlines()
    assert ours.startswith("Coin  1 with probability p")
    assert theirs == "theirs:Coin theirs 2.5 Somebody's own coin."
    assert gone.startswith("theirs:Gone theirs 2.5 cannot be used: A component from outside")


def test_somebodys_own_coin_is_never_taken_for_ours(installed: Path) -> None:
    program = (
        "from rewardscope.codec import encode, decode\nimport rewardscope, theirs\n"
        "mine, ours = theirs.Coin(), rewardscope.Coin()\n"
        "print(encode(mine)['is'], encode(ours)['is'])\n"
        "assert type(decode(encode(mine))) is theirs.Coin\n"
        "assert type(decode(encode(ours))) is rewardscope.Coin"
    )
    assert in_a_process(installed, program) == "theirs:Coin Coin"


def test_a_function_is_written_by_its_name_and_read_back() -> None:
    written = encode({"by": in_a_process})
    assert written == {"by": {"is": "function", "of": f"{__name__}:in_a_process"}}
    assert decode(written["by"]) is in_a_process
    assert function_of(f"{__name__}:in_a_process") is in_a_process


def test_a_function_without_a_name_of_its_own_is_refused_with_its_line() -> None:
    with pytest.raises(
        ComponentError, match=r"without a name to import it by.*<lambda>.*test_registry"
    ):
        encode({"by": lambda text: text})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:Thing", "cannot be imported. Got: no_such_module:Thing"),
        ("json:nothing", "cannot be imported. Got: json:nothing"),
        ("json:dumps", "A component must be a class"),
        ("load_study", "Unknown component"),
    ],
)
def test_a_name_that_leads_nowhere_is_explained(name: str, message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        class_of(name)


def test_what_json_names_outside_of_the_package_is_no_component_unless_it_is_a_dataclass() -> None:
    with pytest.raises(ComponentError, match="A component must be a dataclass"):
        decode({"is": "subprocess:Popen", "args": "true"})


def test_a_guest_is_told_by_its_module() -> None:
    assert is_guest("theirs:Coin") and not is_guest("Coin")
    assert not is_guest("rewardscope.rewards.coin:Coin")
    assert name_of(type("Local", (), {"__module__": "theirs"})) == "theirs:Local"
