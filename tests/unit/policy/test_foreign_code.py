"""Code that comes with a model's folder is never run, and nobody is asked whether it may."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factories import tiny_policy

ROOT = Path(__file__).parents[3]
AUTO_MAP = {
    "AutoConfig": "modeling_own.OwnConfig",
    "AutoModelForCausalLM": "modeling_own.OwnModel",
    "AutoTokenizer": ["tokenization_own.OwnTokenizer", None],
}
LOAD = """
import sys
from rewardscope.errors import ModelError
from rewardscope.policy import Policy
try:
    Policy.load(sys.argv[1])
except ModelError as error:
    print("refused:", error)
"""


def folder_with_code(folder: Path, model_type: str) -> Path:
    """A model's folder whose code leaves a file behind; returns that file's path."""
    trace = folder.parent / f"{folder.name} ran"
    tiny_policy().save(folder)
    for module, names in {
        "modeling_own": ("OwnConfig", "OwnModel"),
        "tokenization_own": ("OwnTokenizer",),
    }.items():
        classes = "\n".join(f"class {name}: pass" for name in names)
        (folder / f"{module}.py").write_text(f"open({str(trace)!r}, 'w').close()\n{classes}\n")
    for name, changes in {
        "config.json": {"model_type": model_type, "auto_map": AUTO_MAP},
        "tokenizer_config.json": {"tokenizer_class": "OwnTokenizer", "auto_map": AUTO_MAP},
    }.items():
        settings = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(settings | changes))
    return trace


@pytest.mark.parametrize("model_type", ["llama", "of_its_own"])
def test_a_folders_code_never_runs_though_the_terminal_says_yes(
    model_type: str, tmp_path: Path
) -> None:
    trace = folder_with_code(tmp_path / "model", model_type)
    ended = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path / "model")],
        input="y\n" * 1000,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"HF_MODULES_CACHE": str(tmp_path / "modules")},
    )
    assert not trace.exists()
    assert ended.returncode == 0, ended.stderr
    assert "[y/N]" not in ended.stdout + ended.stderr
    assert model_type == "llama" or "refused: The model could not be loaded" in ended.stdout


def test_every_load_of_transformers_says_that_code_is_not_trusted() -> None:
    loads = 0
    for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("benchmarks/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            of = node.func.value
            if node.func.attr != "from_pretrained" or not isinstance(of, ast.Name):
                continue
            flags = {each.arg: ast.unparse(each.value) for each in node.keywords}
            assert flags.get("trust_remote_code") == "False", f"{path}:{node.lineno}"
            loads += 1
    assert loads >= 4
