"""Arms x seeds: studies, their cells, and what runs them."""

from rewardscope.study.files import StudySource, load_study
from rewardscope.study.interim import InterimEvaluation
from rewardscope.study.opening import open_run
from rewardscope.study.runner import default_workers, run_study
from rewardscope.study.study import Cell, Evaluation, Study

__all__ = [
    "Cell",
    "Evaluation",
    "InterimEvaluation",
    "Study",
    "StudySource",
    "default_workers",
    "load_study",
    "open_run",
    "run_study",
]
