"""Every file of studies/published runs two steps on a tiny model of the family that it was
published for; one table says how small, and no file is edited.
"""

import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import write_family
from typer.testing import CliRunner

from rewardscope import Study
from rewardscope.analyses.labelling import write_labels
from rewardscope.cli import app
from rewardscope.codec import decode, encode
from rewardscope.errors import StudyError
from rewardscope.store import CellDirectory, read_measurements
from rewardscope.study import load_study, open_run, run_study
from rewardscope.training import train

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "studies" / "published"
PAGE = ROOT / "docs" / "published.md"
SIZES = {
    "steps": 2,
    "problems_per_step": 4,
    "completions_per_problem": 4,
    "checkpoint_every": 2,
    "minibatches": 2,
    "sampling_rounds": 2,
    "max_tokens": 24,
    "limit": 24,
    "buffer": 8,
    "size": 8,
    "problems": 4,
    "draws": 4,
    "readings": 2,
    "max_k": 4,
}
"""Field -> its most, wherever it stands in a study."""
PLACE = {"device": "cpu", "precision": None, "seeds": [0]}
BOXES = [*(f"so \\boxed{{{digit}}}" for digit in (1, 2, 3, 4)), "so 2", "python says 3"]
CHOICES = ["(A)", "(B)", "so (C)", "(D)"]
THOUGHT = [f"<think>a</think><answer>{digit}</answer>" for digit in (1, 2, 3, 4)]
SURE = [
    f"{text}<analysis>b</analysis><confidence>0.{digit}</confidence>"
    for text, digit in zip(THOUGHT, (2, 9, 5, 7), strict=True)
]
TAGS = [*THOUGHT, *SURE]
QUIET = {"random-rare", "no-repetition"}
"""Arms whose groups are all paid alike here: one in a thousand is paid, or nothing repeats."""
WRITES = {"boxes": BOXES, "tags": TAGS, "choices": CHOICES}
"""What a tiny model has learned to write."""


@dataclass(frozen=True)
class Run:
    """How a file is run here."""

    family: str
    """Of the model that it was published for."""
    data: dict[str, str]
    """Argument of ``published`` -> one of the files of tiny problems."""
    writes: str = "boxes"
    """What the tiny model writes."""


RUNS: dict[str, Run] = {
    "one_shot": Run("qwen2", {"one": "one", "pool": "train", "held_out": "heldout"}),
    "nsr": Run("qwen2", {"train": "both", "held_out": "both"}),
    "rlcr": Run("qwen2", {"train": "both"}, "tags"),
    "spurious": Run("qwen2", {"train": "train", "held_out": "heldout", "labels": "labels"}),
    "dapo": Run("qwen2", {"train": "train", "held_out": "heldout"}),
    "sdpo": Run("qwen3", {"data": "choices"}, "choices"),
    "hicra": Run("qwen3", {"train": "train", "held_out": "heldout"}),
    "leash": Run("qwen2", {"train": "train", "held_out": "heldout"}),
}


def smaller(value: Any, sizes: dict[str, int]) -> Any:
    """The encoded study with no number above its size."""
    if isinstance(value, dict):
        return {name: _one(name, item, sizes) for name, item in value.items()}
    return [smaller(item, sizes) for item in value] if isinstance(value, list) else value


def _one(name: str, item: Any, sizes: dict[str, int]) -> Any:
    if name in sizes and type(item) is int:
        return min(item, sizes[name])
    if name == "k" and isinstance(item, str):  # the label of a claim
        return str(min(int(item), sizes["max_k"]))
    return smaller(item, sizes)


def module_of(name: str) -> Any:
    """The file, imported as a study file is."""
    load_study(FOLDER / f"{name}.py")
    return sys.modules[f"rewardscope_study_{name}"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files of tiny problems, whose keys are digits from 1 to 4."""
    folder = tmp_path_factory.mktemp("data")

    def rows(split: str, count: int) -> list[dict[str, str]]:
        keys = [1 + number % 4 for number in range(count)]
        return [
            {
                "problem": f"{split} {number}: {key} + 0?",
                "prompt": f"{split} {number}: {key} + 0?",
                "answer": str(key),
                "solution": f"It is \\boxed{{{key}}}.",
                "split": split,
            }
            for number, key in enumerate(keys)
        ]

    def write(name: str, chosen: list[dict[str, str]], *, with_split: bool) -> str:
        file = folder / f"{name}.jsonl"
        kept = [{k: v for k, v in row.items() if with_split or k != "split"} for row in chosen]
        file.write_text("".join(json.dumps(row) + "\n" for row in kept))
        return str(file)

    train, held_out = rows("train", 12), rows("heldout", 6)
    options = [
        {"question": f"{row['problem']} (A) 1 (B) 2 (C) 3 (D) 4", "answer": "ABCD"[n % 4]}
        | {"split": row["split"]}
        for n, row in enumerate(train + held_out)
    ]
    return {
        "one": write("one", train[:1], with_split=False),
        "train": write("train", train, with_split=False),
        "heldout": write("heldout", held_out, with_split=False),
        "labels": str(folder / "labels.jsonl"),
        "choices": write("choices", options, with_split=True),
        "both": write("both", train + held_out, with_split=True),
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Run], str]:
    """The folder of a run's tiny model, made once."""
    made: dict[str, str] = {}

    def of(run: Run) -> str:
        mark = f"{run.family} {run.writes}"
        if mark not in made:
            folder = tmp_path_factory.mktemp("model") / f"tiny-{run.family}"
            write_family(folder, run.family, WRITES[run.writes])
            made[mark] = str(folder)
        return made[mark]

    return of


def tiny(name: str, model: str, data: dict[str, str]) -> Study:
    run = RUNS[name]
    made = module_of(name).published(model, **{k: data[v] for k, v in run.data.items()})
    small = decode({**smaller(encode(made), SIZES), **PLACE})
    assert isinstance(small, Study)
    return small


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_every_arm_of_a_published_run_makes_two_steps(
    name: str, model: Callable[[Run], str], data: dict[str, str], tmp_path: Path
) -> None:
    study = tiny(name, model(RUNS[name]), data)
    if "labels" in RUNS[name].data:
        write_labels(study.arms[0], study.seeds, 8, study.placement, Path(data["labels"]))
    still = set()
    for arm in study.arms:
        cell = CellDirectory(tmp_path / arm.name)
        train(arm, 0, cell, lambda done: None)
        rows = cell.steps()
        assert [row["step"] for row in rows] == [0, 1], arm.name
        numbers = [n for row in rows for n in row.values() if isinstance(n, float)]
        assert all(map(math.isfinite, numbers)), arm.name
        if not any(row["gradient_norm"] for row in rows):
            still.add(arm.name)
    assert still == QUIET & {arm.name for arm in study.arms}


@pytest.mark.slow
def test_a_published_run_is_measured_and_judged_like_any_study(
    model: Callable[[Run], str], data: dict[str, str], tmp_path: Path
) -> None:
    study = tiny("one_shot", model(RUNS["one_shot"]), data)
    directory = open_run(study, tmp_path / "run", "a test")
    assert run_study(study, None, directory, 0) == {}
    measured = {
        row.metric
        for cell in study.cells()
        for row in read_measurements(directory.cell(cell.name).measurements)
    }
    assert {claim.metric for claim in study.claims} <= measured


def test_every_published_file_is_run_here_and_has_one_row_on_its_page() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")}
    assert files == set(RUNS)
    rows = re.findall(r"^\| \[`(\w+)\.py`\]", PAGE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(files)


@pytest.mark.parametrize("name", RUNS)
def test_a_published_file_has_a_placebo_and_says_where_its_settings_come_from(name: str) -> None:
    study = module_of(name).study
    assert any(arm.reward.placebo for arm in study.arms) or any(
        "coin" in arm.name or "permuted" in arm.name for arm in study.arms
    )
    text = (FOLDER / f"{name}.py").read_text()
    assert "Had otherwise:" in (study.about or "")
    assert len(re.findall(r"# [PRCDO]\b", text)) >= 12


@pytest.mark.parametrize("name", RUNS)
def test_only_the_name_changes_the_model(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDSCOPE_MODEL", "somebody/some-model")
    other = module_of(name).study
    monkeypatch.delenv("REWARDSCOPE_MODEL")
    own = module_of(name).study
    assert {arm.start.name for arm in other.arms} == {"somebody/some-model"}
    starts = {arm.name: arm.start for arm in own.arms}
    renamed = tuple(replace(arm, start=starts[arm.name]) for arm in other.arms)
    assert replace(other, arms=renamed).signature == own.signature


@pytest.mark.parametrize("command", [("labels", "--out"), ("clip-bias", "--replicates")])
def test_a_command_on_a_published_file_says_that_there_is_no_gpu(
    command: tuple[str, str], tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    name, option = command
    given = {"--out": str(tmp_path / "labels.jsonl"), "--replicates": "2"}[option]
    with pytest.raises(StudyError, match="wants a GPU"):
        CliRunner().invoke(
            app,
            [name, str(FOLDER / "spurious.py"), "truth", option, given],
            catch_exceptions=False,
        )
