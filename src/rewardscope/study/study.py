"""A study: arms x seeds, what is measured, and the claims that were written down before it ran."""

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, get_args

from rewardscope import __version__
from rewardscope.codec import canonical, encode, signature
from rewardscope.conformance import check_component, check_plain_fields
from rewardscope.errors import StudyError
from rewardscope.identity import Part, parts_of
from rewardscope.policy import Placement, Precision
from rewardscope.probes import Probe
from rewardscope.probes.behaviour import Behaviour
from rewardscope.probes.boundary import Boundary
from rewardscope.probes.diversity import Diversity
from rewardscope.probes.losses import Losses
from rewardscope.probes.novelty import Novelty
from rewardscope.probes.weight_change import WeightChange
from rewardscope.protocols import Environment
from rewardscope.store import measuring_signature
from rewardscope.study.interim import InterimEvaluation
from rewardscope.study.shape import EXAMPLES, check_draws, check_instance, check_probes, several
from rewardscope.training import Arm
from rewardscope.types import DRAWN_BY, Claim, Expectation

NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
BASE = "base"
DEVICE = re.compile(r"cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class Evaluation:
    """The held-out problems and draws that every policy of a study is measured with, untrained ones
    included.
    """

    problems: int = 64
    draws: int = 256
    """Completions per problem, with the arm's own sampling settings."""
    split: str = "heldout"
    readings: int = 8
    """Problems whose completions are kept token by token for the page."""
    environment: Environment | None = None
    """Whose problems; None = each arm's own. For what an arm was not trained on: deeper levels,
    other functions.
    """
    seen_in_training: bool = False
    """Whether the problems may be ones that the arms train on, as in a study of one fixed pool;
    what is measured then holds memory too.
    """

    def asks(self, arm: Arm) -> Environment:
        """The environment that measures the arm."""
        return self.environment or arm.environment

    def __post_init__(self) -> None:
        check_plain_fields(self, StudyError)
        if self.environment is not None:
            check_component(self.environment, (Environment,), "environment", "Evaluation")
        if self.problems < 2 or self.draws < 1 or not 0 <= self.readings <= self.problems:
            raise StudyError(
                "Evaluation needs 2 or more problems, 1 or more draws, and no more readings than "
                "problems",
                value=f"problems={self.problems}, draws={self.draws}, readings={self.readings}",
                allowed="problems >= 2, draws >= 1, 0 <= readings <= problems",
                do="Write, for instance, Evaluation(problems=64, draws=64, readings=8)",
            )


@dataclass(frozen=True)
class Cell:
    """One unit of work: an arm under a seed, or (seed None) an untrained policy."""

    name: str
    """Of its directory: arm, seed, and the hash of what determines its result."""
    label: str
    """What measurements call it: the arm's name, or ``base:<start>``."""
    arm: Arm
    """Its treatment; of a base cell, an arm that starts from it."""
    seed: int | None
    base: str
    """Name of the cell of its untrained policy; its own name for a base cell."""
    determined_by: Mapping[str, Any] = field(compare=False)
    """What its name is the hash of; says which edit it was, once another name is asked for."""


@dataclass(frozen=True, repr=False)
class Study:
    """Arms x seeds with probes and claims; a Python value, and no flag can change what it
    computes.
    """

    name: str
    question: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    claims: tuple[Claim, ...]
    about: str = ""
    evaluation: Evaluation = Evaluation()
    probes: tuple[Probe, ...] = (
        Boundary(),
        Novelty(),
        Behaviour(),
        Diversity(),
        Losses(),
        WeightChange(),
    )
    interim: InterimEvaluation | None = None
    """Held-out draws while an arm trains; None = at the end alone. It names cells only where it is
    set.
    """
    threads_per_cell: int = 1
    """Fixed here because the number of threads changes low bits."""
    device: str = "cpu"
    """Where policies live: ``cpu``; ``cuda``, the GPU that a worker is given; ``cuda:1``, that GPU;
    or ``mps``. On an accelerator a resumed run equals an uninterrupted one only up to rounding.
    Fixed here for the same reason.
    """
    precision: Precision | None = None
    """Number format of all policies; None = float32 on a CPU, and bfloat16 with float32 master
    copies elsewhere. It names cells only where it is set.
    """

    def __post_init__(self) -> None:
        for name in EXAMPLES:
            object.__setattr__(self, name, several(name, getattr(self, name)))
        check_plain_fields(self, StudyError)
        check_instance("evaluation", self.evaluation, Evaluation)
        if self.precision is not None:
            check_instance("precision", self.precision, Precision)
        check_probes(self.probes)
        names = [arm.name for arm in self.arms]
        for name in [self.name, *names]:
            if not NAME.fullmatch(name) or name == BASE:
                raise StudyError(
                    "A name must do as part of a file name",
                    value=repr(name),
                    allowed="a-z, 0-9, - and _; not 'base'",
                    do=f"Rename it, for instance to {_file_name(name)!r}",
                )
        if not self.arms or not self.seeds:
            raise StudyError(
                "A study needs at least one arm and one seed",
                value=f"{len(self.arms)} arms, {len(self.seeds)} seeds",
                do="Add them",
            )
        if len(set(names)) < len(names) or len(set(self.seeds)) < len(self.seeds):
            raise StudyError(
                "Arms' names and seeds must differ",
                value=f"arms {names}, seeds {list(self.seeds)}",
                allowed="every name and every seed once",
                do="Rename or remove the doubles",
            )
        if not DEVICE.fullmatch(self.device) or self.threads_per_cell < 1:
            raise StudyError(
                "A study cannot run there",
                value=f"device={self.device!r}, threads_per_cell={self.threads_per_cell}",
                allowed="device cpu, cuda, cuda:0 and so on, or mps; threads_per_cell 1 or more",
                do="Correct the study",
            )
        self._check_signatures()
        self._check_claims(names)

    def _check_signatures(self) -> None:
        seen: dict[str, str] = {}
        for arm in self.arms:
            mark = canonical(replace(arm, name=""))
            if mark in seen:
                raise StudyError(
                    f"Arm '{seen[mark]}' and arm '{arm.name}' are the same: they "
                    "would train the same thing twice",
                    do="Remove one, or change what should differ",
                )
            seen[mark] = arm.name

    def _check_claims(self, names: list[str]) -> None:
        metrics = [metric for probe in self.probes for metric in probe.metrics]
        for claim in self.claims:
            arms = (claim.treatment, claim.control)
            unknown = [arm for arm in arms if arm not in [*names, BASE]]
            faults = (
                (
                    bool(unknown) or claim.treatment == BASE,
                    "A claim names an arm that the study does not have",
                    ", ".join(unknown) or BASE,
                    f"{', '.join(names)}; as control also '{BASE}'",
                ),
                (
                    claim.treatment == claim.control,
                    "A claim compares an arm with itself",
                    " and ".join(arms),
                    "two arms",
                ),
                (
                    claim.metric not in metrics,
                    "A claim names a metric that no probe of the study makes",
                    claim.metric,
                    _nearest(claim.metric, metrics),
                ),
                (
                    claim.expects not in get_args(Expectation),
                    "A claim expects something that no interval could say",
                    f"expects={claim.expects!r}",
                    ", ".join(get_args(Expectation)),
                ),
                (
                    not claim.margin >= 0 or (claim.expects == "same" and claim.margin == 0),
                    "A claim has a margin that nothing could be held against",
                    f"margin={claim.margin}, expects={claim.expects!r}",
                    "0 or more, and more than 0 for a claim that expects 'same': the smallest "
                    "difference that would matter",
                ),
                (
                    not all(
                        isinstance(text, str) for pair in claim.labels.items() for text in pair
                    ),
                    "A claim has labels that are no texts",
                    f"labels={dict(claim.labels)}",
                    'texts, such as {"k": "1"}',
                ),
            )
            for wrong, what, value, allowed in faults:
                if wrong:
                    raise StudyError(
                        what,
                        value=f"{value} in '{claim.sentence}'",
                        allowed=allowed,
                        do="Correct the claim",
                    )
            check_draws(claim, self.probes, self.evaluation.draws)

    def __repr__(self) -> str:
        arms, claims = ", ".join(arm.name for arm in self.arms), len(self.claims)
        counts = f"arms {arms}; seeds {', '.join(map(str, self.seeds))}; claims: {claims}"
        return f"Study({self.name!r}: {self.question!r}; {counts})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        html: str = importlib.import_module(DRAWN_BY).study_html(self)
        return html

    @property
    def signature(self) -> str:
        """Hash of the whole study, claims included."""
        return signature(self)

    @property
    def measuring_signature(self) -> str:
        """Hash of what turns a trained policy into rows: change it and cells are measured again,
        not trained again.
        """
        return measuring_signature(self.measured_by())

    def measured_by(self) -> dict[str, Any]:
        """What turns a trained policy into rows, as study.json holds it."""
        measured = {
            "evaluation": encode(self.evaluation),
            "probes": encode(self.probes),
            "version": __version__,
        }
        return measured | _made_of(parts_of((self.evaluation, self.probes)))

    def cells(self) -> list[Cell]:
        """Base cells first, then every arm under every seed, seeds outermost so that whole
        replicates finish early.

        Raises:
            ComponentError: If a source or data file that a component depends on cannot be read.
        """
        bases: dict[str, Cell] = {}
        base_of: dict[str, Cell] = {}
        for arm in self.arms:
            determined_by = self._base_determined_by(arm)
            mark = signature(determined_by)
            if mark not in bases:
                label = f"{BASE}:{arm.start.label}"
                if any(cell.label == label for cell in bases.values()):
                    label += f"#{mark[:4]}"
                name = f"{BASE}-{arm.start.label}--{mark}"
                bases[mark] = Cell(name, label, arm, None, name, determined_by)
            base_of[arm.name] = bases[mark]
        determined = {arm.name: self._determined_by(arm) for arm in self.arms}
        trained = [
            self._trained(arm, seed, base_of[arm.name], determined[arm.name])
            for seed in self.seeds
            for arm in self.arms
        ]
        return [*bases.values(), *trained]

    @property
    def _placed(self) -> dict[str, Any]:
        precision = {} if self.precision is None else {"precision": encode(self.precision)}
        return {"device": self.device.partition(":")[0], **precision}

    @property
    def placement(self) -> Placement:
        """Where its policies live, and in which format."""
        return Placement(self.device, self.precision)

    def _base_determined_by(self, arm: Arm) -> dict[str, Any]:
        asked = self.evaluation.asks(arm)
        return {
            "start": arm.start.identity(),
            "environment": encode(asked),
            "sampling": encode(arm.sampling),
            "threads": self.threads_per_cell,
            **self._placed,
            "version": __version__,
            **_made_of(parts_of((arm.start, asked, arm.sampling), without=(arm.start,))),
        }

    def _determined_by(self, arm: Arm) -> dict[str, Any]:
        """What determines the arm's policy, but for the seed."""
        named_apart = (arm.start, arm.demonstrations, arm.learner.mask)
        looked_at = (self.evaluation.asks(arm),) if self.interim else ()
        return {
            "arm": encode(replace(arm, name="", checkpoint_every=1)),
            "start": arm.start.identity(),
            "demonstrations": arm.demonstrations.identity() if arm.demonstrations else "",
            "mask": arm.learner.mask.identity() if arm.learner.mask else "",
            "threads": self.threads_per_cell,
            **self._placed,
            "version": __version__,
            **_made_of(parts_of((arm, *looked_at), without=named_apart)),
            **({"interim": self._interim_determined_by(arm)} if self.interim else {}),
        }

    def _interim_determined_by(self, arm: Arm) -> dict[str, Any]:
        return {
            "settings": encode(self.interim),
            "environment": encode(self.evaluation.asks(arm)),
            "split": self.evaluation.split,
        }

    def _trained(self, arm: Arm, seed: int, base: Cell, determined_by: Mapping[str, Any]) -> Cell:
        whole = {**determined_by, "seed": seed}
        return Cell(
            f"{arm.name}--s{seed}--{signature(whole)}", arm.name, arm, seed, base.name, whole
        )


def _made_of(parts: Sequence[Part]) -> dict[str, Any]:
    """Parts as a signature holds them; nothing where there are none, as for our own components."""
    return {"made_of": [part.record for part in parts]} if parts else {}


def _file_name(name: str) -> str:
    """The nearest name that does as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-").removeprefix(f"{BASE}") or "study"


def _nearest(name: str, metrics: list[str]) -> str:
    """The metrics that were most likely meant, and where all are."""
    near = get_close_matches(name, metrics, n=3, cutoff=0.5) or metrics[:3]
    return (
        f"{', '.join(near)} and {len(metrics) - len(near)} more that the study's probes make, or "
        "those of a probe that is added (`rewardscope instruments`)"
    )
