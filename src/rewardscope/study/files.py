"""Study files: Python that leaves a ``study`` behind."""

import importlib.util
import sys
import traceback
from pathlib import Path

from rewardscope.errors import RewardscopeError, StudyError
from rewardscope.study.study import Study


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
    folder = str(path.resolve().parent)
    if folder not in sys.path:  # as for a script: a study imports the files beside it
        sys.path.insert(0, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except RewardscopeError:
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
            value=f"{type(error).__name__}: {what} ({_place(error, path)})",
            allowed="known components with the fields that `rewardscope methods` lists"
            if misnamed
            else "",
            do="Mend that line",
        ) from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise StudyError(
            "The study file leaves no study behind",
            value=f"{path}: study = {study!r}",
            do="Define `study = Study(...)` in it",
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
    return f"{path}, line {own[-1]}" if own else str(path)
