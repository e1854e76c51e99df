"""Pages of the site that are made when it is built: those of the project's root, and the API.

The API pages name every public object and mkdocstrings fills in its docstring, so an object that
is gone, or a name that nobody documents, ends the build.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from rewardscope.registry import BUILT_IN, FUNCTIONS, PACKAGE, PROTOCOLS, RECORDS

ROOT = Path(__file__).parents[2]
FROM_THE_ROOT = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "examples.md": "examples/README.md",
}
"""Page -> file of the project's root."""
KINDS = {
    "environments": "What is asked, and how it is checked",
    "graders": "Whether a completion is right, for `Questions`",
    "regimes": "Which problems an arm meets",
    "demonstrations": "Completions that the policy did not write",
    "rewards": "What the learner is told",
    "credits": "Rewards become streams of advantages per token",
    "preferences": "Rewards become a loss of whole completions",
    "learners": "The loss, the optimizer and what goes with them",
    "starts": "Where a policy comes from",
    "banks": "Experience that reaches the policy through the prompt",
    "writers": "How experience is written",
    "recalls": "How experience is recalled",
    "probes": "Instruments",
    "detectors": "What `Behaviour` looks for in a text",
}
STUDY = ("Study", "Arm", "Evaluation", "Sampling", "Claim", "Verdict", "Outcome", "load_study")
MODULES = {
    "api/interfaces.md": (
        "Interfaces",
        "What a component of your own has to be, and the functions that help with it. "
        "[Write your own](../write-your-own/index.md) has a complete listing of each.",
        (
            "protocols",
            "environments.base",
            "environments.proof",
            "rewards.base",
            "credit.base",
            "preference.base",
            "probes.base",
            "section",
            "identity.files",
        ),
    ),
    "api/data.md": (
        "Data",
        "The records that components exchange, the tensors of a training step, and addressed "
        "randomness.",
        ("types", "tensors", "seeds"),
    ),
    "api/store.md": (
        "Runs on disk",
        "Reads and writes [run directories](../run-directory.md); works without torch.",
        ("store.directory", "store.tables", "store.files", "codec", "registry"),
    ),
    "api/judging.md": (
        "Judging and statistics",
        "From rows to verdicts, and the estimators behind them; works without torch.",
        ("judging.claims", "judging.boundary.comparison", "judging.boundary.tally", "stats"),
    ),
    "api/errors.md": ("Errors", "What is raised where something is wrong.", ("errors",)),
}
"""Page -> title, introduction, modules (or classes) of the package that it documents whole."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of the site, those that are made here included."""
    pages = {page: _from_root(name) for page, name in FROM_THE_ROOT.items()}
    pages |= {page: _modules(*content) for page, content in MODULES.items()}
    pages["api/study.md"] = _study()
    pages["api/components.md"] = _components()
    pages["api/index.md"] = _index()
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    return files


def _from_root(name: str) -> str:
    """A Markdown file of the root, with its links as they are seen from docs/."""
    text = (ROOT / name).read_text()
    for page, file in FROM_THE_ROOT.items():
        text = text.replace(f"]({file})", f"]({page})")
    if name.startswith("examples/"):  # the files themselves are no pages
        return re.sub(r"\[([^]]+)\]\([\w.]+\)", r"`examples/\1`", text)
    return re.sub(r"\]\(docs/", "](", text)


def _object(path: str) -> str:
    return f"::: {PACKAGE}.{path}\n"


def _modules(title: str, introduction: str, modules: tuple[str, ...]) -> str:
    return f"# {title}\n\n{introduction}\n\n" + "\n".join(
        f"{_object(path)}    options:\n      show_root_full_path: true\n" for path in modules
    )


def _named(names: Mapping[str, str]) -> str:
    return "\n".join(_object(f"{module}.{name}") for name, module in names.items())


def _study() -> str:
    homes = RECORDS | FUNCTIONS
    more = {name: module for name, module in homes.items() if name not in STUDY}
    first = {name: homes[name] for name in STUDY}
    shown_whole = {module for _, _, modules in MODULES.values() for module in modules}
    more = {name: module for name, module in more.items() if module not in shown_whole}
    first = {name: module for name, module in first.items() if module not in shown_whole}
    return (
        "# Studies and claims\n\n`Claim`, `Verdict` and `Outcome` are records of "
        f"[`rewardscope.types`](data.md).\n\n{_named(first)}\n{_named(more)}"
    )


def _components() -> str:
    parts = ["# Components\n\nEach can be imported from `rewardscope` by its name.\n"]
    for kind, names in BUILT_IN.items():
        parts.append(f"## {kind.capitalize()}\n\n{KINDS[kind]}.\n")
        for name, module in names.items():
            parts.append(f"::: {PACKAGE}.{module}.{name}\n    options:\n      heading_level: 3\n")
    return "\n".join(parts)


def _index() -> str:
    """Every name that `from rewardscope import ...` gives, linked to its documentation."""
    rows = ["| kind | names |", "| --- | --- |"]
    kinds = BUILT_IN | {"protocols": PROTOCOLS, "records": RECORDS, "functions": FUNCTIONS}
    for kind, names in kinds.items():
        linked = (f"[`{name}`][{PACKAGE}.{module}.{name}]" for name, module in names.items())
        rows.append(f"| {kind} | {', '.join(linked)} |")
    return (
        "# API\n\nEvery name below can be imported from `rewardscope`, which imports its module, "
        "and torch with it if need be, when the name is first used.\n\n" + "\n".join(rows) + "\n"
    )
