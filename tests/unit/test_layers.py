import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rewardscope

SOURCE = Path(rewardscope.__file__).parent
FLOOR = {
    "errors": set[str](),
    "seeds": set[str](),
    "hostile": set[str](),
    "conversation": {"errors"},
    "sources": {"errors"},
    "registry": {"errors"},
    "outline": {"errors", "registry"},
    "section": {"errors"},
    "types": {"errors"},
    "protocols": {"types"},
    "identity": {"errors", "registry"},
    "codec": {"errors", "registry"},
    "stats": {"errors", "seeds"},
    "conformance": {"errors", "registry", "protocols", "identity", "codec", "sources"},
}
"""What every part above may import: text and numbers, no torch."""
ABOVE = {
    "__init__": set[str](),
    "tensors": set[str](),
    "store": set[str](),
    "environments": set[str](),
    "rewards": set[str](),
    "experience": {"store"},
    "credit": {"tensors"},
    "preference": {"tensors"},
    "policy": {"tensors", "store"},
    "organisms": {"policy", "environments"},
    "learner": {"policy", "tensors"},
    "judging": {"store"},
    "probes": {"policy", "judging", "store", "tensors"},
    "training": {"store", "environments", "experience", "rewards", "credit", "preference"}
    | {"policy", "organisms", "learner", "tensors"},
    "runners": set[str](),
    "study": {"runners", "store", "environments", "experience", "rewards", "credit", "preference"}
    | {"policy", "learner", "probes", "training", "tensors", "judging", "__init__"},
    "analyses": {"store", "environments", "rewards", "policy", "organisms", "learner", "probes"}
    | {"training", "study", "tensors"},
    "report": {"store", "judging"},
    "view": {"store", "judging", "report"},
}
ALLOWED: dict[str, set[str]] = FLOOR | {name: more | set(FLOOR) for name, more in ABOVE.items()}
"""Folder or module -> what of ours it may import; itself is always allowed. What is not listed
below may import anything.
"""
ANYTHING = {"__main__", "cli", "catalogue", "doctor"}
"""Front doors, which nothing imports."""
PEERS = [
    {"environments", "rewards"},
    {"credit", "preference"},
    {"policy", "environments", "rewards"},
    {"probes", "learner", "organisms"},
]
WITHOUT_TORCH = (
    "rewardscope.judging.boundary",
    "rewardscope.protocols",
    "rewardscope.section",
    "rewardscope",
    "rewardscope.report.notebook",
    "rewardscope.report.page",
    "rewardscope.judging.claims",
    "rewardscope.report.tables",
    "rewardscope.outline",
    "rewardscope.store",
    "rewardscope.view.server",
)


def part(path: Path) -> str:
    """Folder or module of the package that the file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    """Of the package; templates are study files, which a user gets a copy of."""
    return sorted(path for path in SOURCE.rglob("*.py") if "templates" not in path.parts)


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what is imported for a type checker alone."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        only_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if only_types else self.generic_visit(node)


def imported(path: Path) -> set[str]:
    """Parts of the package that the file imports, wherever in the file; an interface may name the
    types of any layer, since it runs nothing of them.
    """
    names: set[str] = set()
    tree: ast.AST = ast.parse(path.read_text())
    if part(path) == "protocols":
        tree = WithoutTypes().visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import on line {node.lineno}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = [name.split(".") for name in names if name.split(".")[0] == "rewardscope"]
    known = {part(module) for module in modules()}
    return {found[1] if len(found) > 1 and found[1] in known else "__init__" for found in ours}


def test_every_part_of_the_package_has_its_layer() -> None:
    assert {part(path) for path in modules()} == set(ALLOWED) | ANYTHING


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_imports_only_what_its_layer_allows(path: Path) -> None:
    mine = part(path)
    if mine not in ANYTHING:
        assert imported(path) - {mine} <= ALLOWED.get(mine, set())


def test_the_layers_have_no_circle() -> None:
    left = {name: set(allowed) - {"__init__"} for name, allowed in ALLOWED.items()}
    while left:
        ready = [name for name, needs in left.items() if not needs & set(left)]
        assert ready, f"a circle among {sorted(left)}"
        for name in ready:
            del left[name]


def test_peers_are_not_allowed_to_import_each_other() -> None:
    for peers in PEERS:
        for peer in peers & set(ALLOWED):
            assert not ALLOWED[peer] & (peers - {peer})


def test_what_was_drawn_by_global_random_state_is_nowhere() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert (
                    "random" not in {alias.name for alias in node.names}
                    or part(path) == "environments"
                ), path
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"manual_seed", "multinomial_", "default_rng"}, (
                    f"{path}:{node.lineno}"
                )


def loaded_after(command: str) -> str:
    program = f"import sys\n{command}\nprint('torch' in sys.modules, 'transformers' in sys.modules)"
    return (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        .stdout.strip()
        .splitlines()[-1]
    )


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_what_reads_a_run_works_without_torch(module: str) -> None:
    assert loaded_after(f"import {module}") == "False False"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["report", "--help"]], ids=" ".join
)
def test_asking_for_help_does_not_wait_for_torch(arguments: list[str]) -> None:
    command = (
        f"from rewardscope.cli import main\nsys.argv = ['rewardscope', *{arguments!r}]\ntry:\n    "
        "main()\nexcept SystemExit:\n    pass"
    )
    assert loaded_after(command) == "False False"


def test_every_public_name_is_where_the_table_says() -> None:
    for name in rewardscope.__all__:
        assert getattr(rewardscope, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = rewardscope.Nothing


INTERNAL = {"Rows", "Corpus", "Finding", "Plan", "Weights"}
"""Interfaces between modules of ours that nobody outside is asked to satisfy."""


def test_what_a_component_must_be_is_declared_in_one_place() -> None:
    declared = {
        (part(path), node.name)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }
    elsewhere = {name for place, name in declared if place != "protocols"}
    assert elsewhere == INTERNAL
    assert not elsewhere & {name for place, name in declared if place == "protocols"}
