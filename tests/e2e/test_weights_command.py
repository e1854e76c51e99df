import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from factories import tiny_policy
from rewardscope.cli import app
from rewardscope.errors import ModelError
from rewardscope.policy import Policy
from rewardscope.seeds import generator


def moved(policy: Policy, seed: int, scale: float = 1e-3) -> Policy:
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(
                torch.from_numpy(
                    generator("weights command", name, seed).normal(
                        0, scale, tuple(parameter.shape)
                    )
                )
            )
    return other


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    base = tiny_policy()
    for name, policy in (("base", base), ("one", moved(base, 1)), ("two", moved(base, 2))):
        policy.save(tmp_path / name)
    return [str(tmp_path / name) for name in ("base", "one", "two")]


def test_one_training_is_compared_with_its_start_and_two_with_each_other(
    folders: list[str],
) -> None:
    alone = CliRunner().invoke(app, ["weights", *folders[:2]])
    assert (
        alone.exit_code == 0
        and "changed as bfloat16 stores them" in alone.stdout
        and "Jaccard" not in alone.stdout
    )
    both = CliRunner().invoke(app, ["weights", *folders])
    assert both.exit_code == 0 and "Jaccard" in both.stdout and "shuffled" in both.stdout


def test_machines_get_every_matrix(folders: list[str]) -> None:
    record = json.loads(CliRunner().invoke(app, ["weights", *folders, "--json"]).stdout)
    whole, *matrices = record["changes"][folders[1]]
    assert whole["matrix"] == "all" and whole["size"] == sum(matrix["size"] for matrix in matrices)
    (pair,) = record["agreements"]
    assert pair["found"]["size"] == whole["size"] and 0 < pair["found"]["jaccard"] <= 1


def test_an_organism_is_found_by_its_name(planted: Policy, tmp_path: Path) -> None:
    moved(planted, 1).save(tmp_path / "trained")
    found = CliRunner().invoke(
        app, ["weights", "formats-planted", str(tmp_path / "trained"), "--json"]
    )
    assert (
        json.loads(found.stdout)["changes"][str(tmp_path / "trained")][0]["changed"]["float32"] > 0
    )
    itself = CliRunner().invoke(app, ["weights", "formats-planted", "formats-planted", "--json"])
    assert json.loads(itself.stdout)["changes"]["formats-planted"][0]["changed"]["float32"] == 0


def test_a_name_that_nothing_has_is_refused_with_the_nearest(folders: list[str]) -> None:
    with pytest.raises(
        ModelError,
        match=r"no such folder, organism or packaged model. Got: formats-plantd.*Write "
        r"formats-planted",
    ):
        CliRunner().invoke(app, ["weights", "formats-plantd", folders[1]], catch_exceptions=False)


def test_a_folder_that_holds_no_weights_is_refused(folders: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no weights"):
        CliRunner().invoke(
            app, ["weights", folders[0], str(tmp_path / "empty")], catch_exceptions=False
        )
