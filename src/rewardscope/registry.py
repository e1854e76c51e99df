"""Every component by kind and name: ours in one table, guests by their module.

A component of ours goes by its class name. A guest, which is any class outside this package, goes
by ``module:qualname``, so that a guest's own ``Coin`` is never taken for ours. A package that is
installed beside this one can offer components under the entry point group ``rewardscope.<kind>``.
"""

import functools
import importlib
import importlib.metadata
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from rewardscope.errors import ComponentError

PACKAGE = __name__.partition(".")[0]
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "environments": {
        "Chain": "environments.chain",
        "Nest": "environments.nest",
        "Paths": "environments.paths",
        "Sensors": "environments.sensors",
        "Hinted": "environments.hinted",
        "House": "environments.house.compact",
        "Rules": "environments.rules",
        "Sums": "environments.words.sums",
        "Gym": "environments.words.gym",
        "Clinic": "environments.words.clinic.environment",
        "Code": "environments.words.code.environment",
        "Countdown": "environments.words.countdown",
        "Composition": "environments.words.composition.environment",
        "Graph": "environments.words.graph",
        "HouseInWords": "environments.words.house",
        "Loophole": "environments.words.loophole",
        "Confident": "environments.confident",
        "Reserved": "environments.reserved",
        "Questions": "environments.questions",
        "Verifiers": "environments.installed",
    },
    "graders": {
        "MathAnswer": "environments.graders.math_answer",
        "Numeric": "environments.graders.numeric",
        "Exact": "environments.graders.exact",
        "Choice": "environments.graders.choice",
        "Pattern": "environments.graders.pattern",
        "PythonTests": "environments.graders.python_tests",
        "Function": "environments.graders.function",
    },
    "regimes": {
        "AllProblems": "environments.regimes",
        "Pool": "environments.regimes",
        "Curriculum": "environments.regimes",
    },
    "rewards": {
        "Truth": "rewards.truth",
        "Coin": "rewards.coin",
        "Inverted": "rewards.inverted",
        "Form": "rewards.form",
        "Constant": "rewards.constant",
        "Majority": "rewards.majority",
        "Noisy": "rewards.noisy",
        "Mislabelled": "rewards.mislabelled",
        "FormTimesTruth": "rewards.formed",
        "FormPlusTruth": "rewards.formed",
        "Overlong": "rewards.overlong",
        "Process": "rewards.process",
        "Proxy": "rewards.proxy",
        "Calibrated": "rewards.calibrated",
        "RewardFunction": "rewards.function",
        "Normalised": "rewards.normalised",
        "And": "rewards.composed",
        "Plus": "rewards.composed",
        "Times": "rewards.composed",
        "Detected": "rewards.detected",
        "OfflineLabels": "rewards.offline",
        "RepeatedGrams": "rewards.repeated",
    },
    "demonstrations": {
        "Oracle": "experience.demonstrations",
        "Stored": "experience.demonstrations",
    },
    "banks": {
        "SkillBank": "experience.bank",
        "Block": "experience.block",
    },
    "writers": {
        "ByRule": "experience.writers",
        "ByPolicy": "experience.writers",
        "Trajectories": "experience.writers",
        "Uniform": "experience.writers",
    },
    "recalls": {
        "OwnCategory": "experience.recall",
        "OtherCategory": "experience.recall",
        "RandomText": "experience.recall",
        "Blank": "experience.recall",
    },
    "credits": {
        "GroupMean": "credit.group_mean",
        "LeaveOneOut": "credit.leave_one_out",
        "Reinforce": "credit.reinforce",
        "ReinforcePlusPlus": "credit.reinforce",
        "Signed": "credit.signed",
        "GeneralisedAdvantage": "credit.generalised",
        "ImplicitProcess": "credit.implicit_process",
        "KLInReward": "credit.kl_in_reward",
        "Planning": "credit.planning",
        "SelfDistillation": "credit.self_distillation",
        "Imitation": "credit.imitation",
    },
    "preferences": {
        "DPO": "preference.dpo",
        "KTO": "preference.kto",
        "ORPO": "preference.orpo",
        "SimPO": "preference.simpo",
    },
    "learners": {
        "Learner": "learner.learner",
        "Critic": "learner.critic",
        "ImplicitReward": "learner.implicit",
        "Teacher": "learner.teacher",
        "LowRank": "learner.low_rank",
        "Subnetwork": "learner.subnetwork",
        "Precision": "policy.precision",
    },
    "starts": {
        "Organism": "organisms.organism",
        "Pretrained": "policy.start",
    },
    "probes": {
        "Boundary": "probes.boundary",
        "Novelty": "probes.novelty",
        "Behaviour": "probes.behaviour",
        "Diversity": "probes.diversity",
        "Calibration": "probes.calibration",
        "Losses": "probes.losses",
        "Phases": "probes.phases",
        "WeightChange": "probes.weight_change",
        "Ladder": "probes.ladder",
        "Elicitation": "probes.elicitation",
        "Experience": "probes.experience",
    },
    "detectors": {
        "AnswerTag": "probes.detectors.form",
        "Boxed": "probes.detectors.form",
        "MentionsPython": "probes.detectors.code",
        "MentionsDef": "probes.detectors.code",
        "WrittenCode": "probes.detectors.code",
        "Backtracking": "probes.detectors.reflection",
        "Verification": "probes.detectors.reflection",
        "OtherScript": "probes.detectors.script",
        "Repetition": "probes.detectors.repetition",
    },
}
"""Kind -> name -> module of this package: the one place where a component of ours is named."""
ANALYSES: Mapping[str, str] = {
    "Agreement": "probes.agreement.Agreement",
    "ClipBias": "probes.clip_bias.ClipBias",
    "ErrorAuroc": "probes.token_credit.ErrorAuroc",
    "Subnetwork": "learner.subnetwork.Subnetwork",
    "Verdicts": "types.Verdict",
}
"""Instruments that are not probes of a study -> where their class is."""
RECORDS: Mapping[str, str] = {
    "Arm": "training.arm",
    "Chart": "section",
    "Claim": "types",
    "Completion": "types",
    "Ending": "types",
    "Evaluation": "study.study",
    "Evidence": "probes.base",
    "Gap": "types",
    "InterimEvaluation": "study.interim",
    "Grade": "types",
    "Line": "section",
    "Measurement": "types",
    "Miner": "probes.strategic",
    "Need": "probes.base",
    "Outcome": "types",
    "Policy": "policy.policy",
    "Problem": "types",
    "Reprompt": "credit.reprompt",
    "Rewards": "types",
    "Rollout": "types",
    "Sampling": "policy.sampler",
    "Section": "section",
    "Study": "study.study",
    "Verdict": "types",
}
"""Other names that study files and run directories use."""
PROTOCOLS: Mapping[str, str] = {
    "Environment": "protocols",
    "Wraps": "protocols",
    "TakesTurns": "protocols",
    "Categorised": "protocols",
    "Distils": "protocols",
    "Finite": "protocols",
    "Regime": "protocols",
    "Reward": "protocols",
    "Remembers": "protocols",
    "View": "protocols",
    "Demonstrations": "protocols",
    "Writer": "protocols",
    "Recall": "protocols",
    "Credit": "protocols",
    "Preference": "protocols",
    "Start": "protocols",
    "Detector": "protocols",
    "Probe": "protocols",
    "RunSource": "protocols",
}
"""Interfaces for authors of components; none of them is a component."""
FUNCTIONS: Mapping[str, str] = {"load_study": "study.files"}
"""Functions that a study file may call."""
HOMES: Mapping[str, str] = {
    name: module
    for names in (*BUILT_IN.values(), RECORDS, PROTOCOLS, FUNCTIONS)
    for name, module in names.items()
}
"""Every name of the table -> module of this package."""
SEPARATOR = ":"
STUDY_MODULE = "rewardscope_study_"
"""Prefix of the module name of a study file."""


def named(name: str) -> Any:
    """The object of this package with that name; imports only its module."""
    return getattr(importlib.import_module(f"{PACKAGE}.{HOMES[name]}"), name)


def analysis(name: str) -> type:
    """The instrument of that name that is no probe; imports only its module."""
    module, _, own = ANALYSES[name].rpartition(".")
    found: type = getattr(importlib.import_module(f"{PACKAGE}.{module}"), own)
    return found


@functools.cache
def components(kind: str) -> Mapping[str, type]:
    """The components of a kind that this package has, by name, in the order of the table above."""
    return {name: named(name) for name in BUILT_IN[kind]}


@functools.cache
def offered(kind: str) -> Mapping[str, importlib.metadata.EntryPoint]:
    """Components of a kind from installed packages, by ``module:qualname``; nothing is imported."""
    entry_points = importlib.metadata.entry_points(group=f"{PACKAGE}.{kind}")
    return {entry.value: entry for entry in sorted(entry_points, key=lambda entry: entry.value)}


def name_of(definition: type | FunctionType) -> str:
    """The name of a class or function: the class name for ours, else ``module:qualname``."""
    if isinstance(definition, type) and definition.__module__.split(".")[0] == PACKAGE:
        return definition.__name__
    return f"{definition.__module__}{SEPARATOR}{definition.__qualname__}"


def readable(name: str) -> str:
    """A name from :func:`name_of` for readers: a guest's with its module, ours unchanged.

    >>> readable("rewardscope_study_mine:Coin"), readable("Coin")
    ('Coin (mine)', 'Coin')
    """
    module, _, own = name.rpartition(SEPARATOR)
    return f"{own} ({module.removeprefix(STUDY_MODULE)})" if module else own


def is_guest(name: str) -> bool:
    """Whether the name is that of a class or function outside this package."""
    return SEPARATOR in name and name.split(SEPARATOR)[0].split(".")[0] != PACKAGE


def class_of(name: str) -> type:
    """The class with that name; the inverse of :func:`name_of`.

    Raises:
        ComponentError: If there is none, or its module cannot be imported here.
    """
    if SEPARATOR in name:
        imported = _imported(name)
        if not isinstance(imported, type):
            raise ComponentError(
                "A component must be a class", value=f"{name}: {imported!r}", do="Name a class"
            )
        return imported
    makeable = sorted(set(HOMES) - set(FUNCTIONS) - set(PROTOCOLS))
    if name not in makeable:
        raise ComponentError(
            "Unknown component",
            value=repr(name),
            allowed=", ".join(makeable),
            do="Check the spelling",
        )
    known: type = named(name)
    return known


def thing_of(name: str) -> type | FunctionType:
    """The class or function with that name.

    Raises:
        ComponentError: If there is none, or its module cannot be imported here.
    """
    imported = _imported(name) if SEPARATOR in name else class_of(name)
    return imported if isinstance(imported, FunctionType) else class_of(name)


def function_of(name: str) -> FunctionType:
    """The function with the name ``module:qualname``.

    Raises:
        ComponentError: If there is none, or its module cannot be imported here.
    """
    imported = _imported(name)
    if not isinstance(imported, FunctionType):
        raise ComponentError(
            "This is not a function", value=f"{name}: {imported!r}", do="Name a function"
        )
    return imported


def _imported(name: str) -> object:
    module, _, qualname = name.partition(SEPARATOR)
    try:
        imported: object = importlib.import_module(module)
        for part in qualname.split("."):
            imported = getattr(imported, part)
    except (ImportError, AttributeError) as error:
        raise ComponentError(
            "A component from outside the package cannot be imported",
            value=f"{name}: {error}",
            allowed="a class or function in a module that Python finds from here",
            do="Install the package that has it, or run from where the study was run",
        ) from error
    return imported
