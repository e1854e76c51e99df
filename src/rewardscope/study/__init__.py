"""Arms x seeds: studies, their cells, and what runs them."""

from rewardscope.study.files import load_study
from rewardscope.study.interim import InterimEvaluation
from rewardscope.study.record import open_run
from rewardscope.study.runner import default_workers, run_study
from rewardscope.study.study import Cell, Evaluation, Study

__all__ = [
    "Cell",
    "Evaluation",
    "InterimEvaluation",
    "Study",
    "default_workers",
    "load_study",
    "open_run",
    "run_study",
]
