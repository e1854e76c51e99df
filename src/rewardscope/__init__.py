"""A placebo-controlled laboratory for reward learning."""

import importlib
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "rewardscope.types": (
        "Claim",
        "Completion",
        "Ending",
        "Grade",
        "Measurement",
        "Outcome",
        "Problem",
        "Rollout",
        "Verdict",
    ),
    "rewardscope.environments": (
        *("AllProblems", "Chain", "Clinic", "Code", "Composition", "Confident", "Countdown"),
        *(
            "Curriculum",
            "Graph",
            "Gym",
            "Hinted",
            "House",
            "HouseInWords",
            "Loophole",
            "Nest",
            "Paths",
            "Pool",
            "Reserved",
        ),
        *("Rules", "Sensors", "Sums"),
    ),
    "rewardscope.organisms": ("Organism",),
    "rewardscope.rewards": (
        *("Calibrated", "Coin", "Constant", "Form", "FormPlusTruth", "FormTimesTruth"),
        *("Inverted", "Majority", "Mislabelled", "Noisy", "Overlong", "Process", "Proxy", "Truth"),
    ),
    "rewardscope.credit": (
        *(
            "GeneralisedAdvantage",
            "GroupMean",
            "Imitation",
            "ImplicitProcess",
            "KLInReward",
            "LeaveOneOut",
        ),
        *("Planning", "Reinforce", "ReinforcePlusPlus", "Reprompt", "SelfDistillation", "Signed"),
    ),
    "rewardscope.preference": ("DPO", "KTO", "ORPO", "SimPO"),
    "rewardscope.experience": (
        *(
            "Blank",
            "Block",
            "ByPolicy",
            "ByRule",
            "Oracle",
            "OtherCategory",
            "OwnCategory",
            "RandomText",
            "SkillBank",
            "Stored",
        ),
        *("Trajectories", "Uniform"),
    ),
    "rewardscope.policy": ("Policy", "Sampling"),
    "rewardscope.policy.start": ("Pretrained",),
    "rewardscope.learner": (
        "Critic",
        "ImplicitReward",
        "Learner",
        "LowRank",
        "Subnetwork",
        "Teacher",
    ),
    "rewardscope.probes": (
        *(
            "Behaviour",
            "Boundary",
            "Calibration",
            "Diversity",
            "Elicitation",
            "Experience",
            "Ladder",
            "Losses",
            "Miner",
            "Novelty",
        ),
        "Phases",
        "WeightChange",
    ),
    "rewardscope.training": ("Arm",),
    "rewardscope.study": ("Evaluation", "Study", "load_study"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]  # the names are those of the table above


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that the command line and the page never wait
    for torch.
    """
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rewardscope' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
