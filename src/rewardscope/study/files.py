"""Study files: Python that leaves a ``study`` behind."""

import importlib.util
import re
import sys
import traceback
from pathlib import Path

from rewardscope.errors import RewardscopeError, StudyError
from rewardscope.study.study import Study

NEEDED = {"claims": "(Claim(...),)", "seeds": "(0, 1, 2)", "arms": "(Arm(...), Arm(...))"}
"""What to write for a field that was left out."""


def load_study(path: Path) -> Study:
    """The ``study`` of a Python file.

    Raises:
        StudyError: If the file does not import or leaves no study behind.
        RewardscopeError: If a component in it refused its fields.
    """
    if not path.is_file():
        raise StudyError(
            "There is no such study file",
            value=path,
            do="Give the path of a Python file that defines `study = Study(...)`",
        )
    spec = importlib.util.spec_from_file_location(f"rewardscope_study_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise StudyError(
            "A study file is Python", value=path, allowed="a file that ends in .py", do="Rename it"
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except RewardscopeError as error:
        error.where = error.where or _place(error, path)
        raise
    except (
        Exception
    ) as error:  # a study file may fail in any way; whichever, the user gets one paragraph
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        misnamed = isinstance(error, (TypeError, NameError, ImportError)) and not isinstance(
            error, ModuleNotFoundError
        )
        raise StudyError(
            "The study file does not import",
            value=f"{type(error).__name__}: {what}",
            allowed="known components with the fields that `rewardscope methods` lists"
            if misnamed
            else "Python that runs from top to bottom",
            do=_advice(error),
            where=_place(error, path),
        ) from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        others = [name for name, value in vars(module).items() if isinstance(value, Study)]
        raise StudyError(
            "The study file leaves no study behind",
            value=f"{path}: study = {study!r}",
            allowed="a file whose `study` is a Study",
            do=f"Name it so: `study = {others[0]}`"
            if others
            else "Define `study = Study(...)` in it",
            where=f"{path}, line {_line_of(others[0], path) if others else 1}",
        )
    return study


def _place(error: Exception, path: Path) -> str:
    """File and line of a mistake: where the text is no Python, or the last line of the study file
    that was run.
    """
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    own = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    caller = f", called from line {own[-2]}" if len(own) > 1 else ""
    return f"{path}, line {own[-1]}{caller}" if own else str(path)


def _advice(error: Exception) -> str:
    """What to do about an error of Python's, as far as it can be told."""
    if isinstance(error, ModuleNotFoundError):
        return (
            f"Correct the name of '{error.name}', or install what has it; modules beside the study "
            "file are found"
        )
    lacking = re.match(r"(\w+)\.__init__\(\) missing .* arguments?: (.*)", str(error))
    if lacking:
        names = re.findall(r"'(\w+)'", lacking[2])
        lines = ", ".join(f"{name}={NEEDED.get(name, '...')}" for name in names)
        return f"Write {lacking[1]}(..., {lines})"
    return "Correct that line"


def _line_of(name: str, path: Path) -> int:
    """Where the name is given a value."""
    lines = enumerate(path.read_text().splitlines(), 1)
    return next((number for number, text in lines if re.match(rf"{name}\s*[:=]", text)), 1)
