"""How much of a training's gain the untrained model reaches when it is only asked differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, Sampling
from rewardscope.probes.base import Evidence, Need, given
from rewardscope.probes.ways import (
    PLAIN,
    SLOT,
    Answers,
    Way,
    as_sampled,
    ask,
    own_openings,
    sharpened,
)
from rewardscope.protocols import Environment
from rewardscope.seeds import key
from rewardscope.stats import Estimate, mean_over_problems, ratio_over_problems
from rewardscope.types import Measurement, Rollout

DIFFERENCE = "share difference"
GAIN_UNITS = {
    **dict.fromkeys(
        ("elicitation/gain", "elicitation/gain_beyond", "elicitation/gain_best_to_best"), DIFFERENCE
    ),
    "elicitation/share_reached": "ratio",
    "elicitation/chosen": "share",
}
"""Units of the metrics that compare base and trained policy."""
TEMPLATES = (
    "{prompt}\nLet's think step by step.",
    "Please reason step by step, and put your final answer within \\boxed{}.\n\n{prompt}",
    "Math Problem: {prompt}",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut "
    "labore et dolore magna.\n\n{prompt}",
)
"""Prompts from the literature, and one without content."""
OPENINGS = ("Let's solve this using Python.",)


@dataclass(frozen=True)
class Elicitation:
    """What other prompts, forced openings, examples, temperatures and sharpening elicit from a
    policy, and how much of the gain is left.

    Each way of asking has its own draws, at addresses that base and trained policy share. The
    base's best way is chosen on one half of the problems and judged on the other, and vice versa,
    so that choosing among many ways does not inflate the result. gain beyond elicitation = trained
    as sampled - base asked in the way that the other half chose. Where a problem cannot be asked in
    a way (it does not fit the context), or none of its draws could be graded, the plain answer is
    used.

    Examples are the environment's own right answers to training problems, so they show the policy
    the key. Results without them are reported beside results with every way. An organism's
    tokenizer cannot write words: there, prompts in words are unknown, and the openings are the
    first tokens that the organism itself uses.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 4 and appendix F (prompts, forced Python,
            lipsum); Kojima et al. 2022, arXiv:2205.11916 (step by step); Karan and Du 2025,
            arXiv:2510.14901 (power sampling; here by weighting draws, not by MCMC).
    """

    templates: tuple[str, ...] = TEMPLATES
    """Each with {prompt} where the problem's prompt goes."""
    openings: tuple[str, ...] = OPENINGS
    own_openings: int = 4
    """How many of the commonest first tokens of the base's own completions are forced, one at a
    time.
    """
    shots: tuple[int, ...] = (4,)
    temperatures: tuple[float, ...] = (0.0, 0.5)
    """0 = greedy."""
    powers: tuple[float, ...] = (2.0, 4.0)
    draws: int = 64
    """Per problem and way; the plain way and the powers use the study's draws."""
    k: int = 16
    """pass@k beside pass@1."""
    strict: bool = False
    """Judge by the strict extractor."""

    uses_truth: ClassVar[bool] = True
    needs: ClassVar[frozenset[Need]] = frozenset(
        {
            Need.ROLLOUTS,
            Need.TOKENS,
            Need.LOGPROBS,
            Need.SAMPLING,
            Need.ENVIRONMENT,
            Need.POLICY,
            Need.BASE_ROLLOUTS,
            Need.BASE_POLICY,
        }
    )
    metrics: ClassVar[tuple[str, ...]] = (
        "elicitation/pass_at_k",
        "elicitation/effective_draws",
        *GAIN_UNITS,
    )

    def __post_init__(self) -> None:
        fine = (
            all(template.count(SLOT) == 1 for template in self.templates)
            and all(self.openings)
            and min(self.shots, default=1) >= 1
        )
        grids = min(self.temperatures, default=0.0) >= 0 and all(
            power > 0 and power != 1 for power in self.powers
        )
        counts = 1 <= self.k <= self.draws and self.own_openings >= 0
        ways = self._ways(())
        anything = len(ways) > 1 or self.own_openings > 0
        if not (fine and grids and counts and anything and len(set(ways)) == len(ways)):
            raise ComponentError(
                "Elicitation cannot ask with these settings",
                value=self,
                allowed="templates with one {prompt}, openings that are not empty, shots >= 1, "
                "temperatures >= 0, powers > 0 and not 1, "
                "1 <= k <= draws, no way twice, and at least one way of asking",
                do="Correct it in the study file",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """pass@1 and pass@k per way; for a trained policy also its gain over its base asked in the
        best way.

        Raises:
            ComponentError: If there is no environment, policy or sampling.
        """
        world = given(evidence.environment, Need.ENVIRONMENT)
        policy = given(evidence.policy, Need.POLICY)
        sampling = given(evidence.sampling, Need.SAMPLING)
        first = evidence.rollouts if evidence.base_rollouts is None else evidence.base_rollouts
        base = policy if evidence.base_policy is None else evidence.base_policy
        ways = self._ways(own_openings(base, first, self.own_openings))
        mine = self._answers(policy, evidence.rollouts, ways, world, sampling)
        rows = self._way_rows(evidence, ways, mine)
        if evidence.base_rollouts is None or evidence.base_policy is None:
            return rows
        theirs_WP = _stored(evidence, ways)
        if theirs_WP is None:
            answers = self._answers(
                evidence.base_policy,
                evidence.base_rollouts,
                ways,
                world,
                sampling,
            )
            theirs_WP = np.array([answer.right_P for answer in answers])
        return rows + _gain_rows(
            evidence, ways, np.array([answer.right_P for answer in mine]), theirs_WP
        )

    def _ways(self, own: Sequence[str]) -> list[Way]:
        """Every way of asking, the plain one first; each name describes its way fully."""
        openings = [*self.openings, *(text for text in own if text not in self.openings)]
        return [
            Way(PLAIN),
            *(Way(f"prompt {text!r}", template=text) for text in self.templates),
            *(Way(f"opening {text!r}", opening=text) for text in openings),
            *(Way(f"{count} examples", shots=count) for count in self.shots),
            *(
                Way(f"temperature {value:g}" if value else "greedy", temperature=value)
                for value in self.temperatures
            ),
            *(Way(f"power {value:g}", power=value) for value in self.powers),
        ]

    def _answers(
        self,
        policy: Policy,
        rollouts: Sequence[Rollout],
        ways: list[Way],
        world: Environment,
        sampling: Sampling,
    ) -> list[Answers]:
        problems, answers = [rollout.problem for rollout in rollouts], []
        for way in ways:
            if way.power is not None:
                answers.append(sharpened(rollouts, way.power, sampling, self.strict))
            elif way.name == PLAIN:
                answers.append(as_sampled(rollouts, self.k, self.strict))
            else:
                answers.append(
                    ask(policy, world, problems, way, sampling, self.draws, self.k, self.strict)
                )
        return answers

    def _way_rows(
        self, evidence: Evidence, ways: list[Way], answers: list[Answers]
    ) -> list[Measurement]:
        """The mean over problems of each way, and one row per problem at k = 1."""
        rows = []
        for way, answer in zip(ways, answers, strict=True):
            kinds = [("elicitation/pass_at_k", {"k": "1"}, answer.right_P, True)]
            if self.k > 1 and not np.isnan(answer.within_k_P).all():
                kinds.append(
                    ("elicitation/pass_at_k", {"k": str(self.k)}, answer.within_k_P, False)
                )
            if way.power is not None:
                kinds.append(("elicitation/effective_draws", {}, answer.effective_P, False))
            for metric, more, value_P, singly in kinds:
                labels, known_P = {"way": way.name, **more}, ~np.isnan(value_P)
                unit, bounds = (
                    ("draws", None) if metric.endswith("draws") else ("share", (0.0, 1.0))
                )
                estimate = None
                if known_P.any():
                    address = f"{metric}/{way.name}/{more}"
                    estimate = mean_over_problems(
                        list(value_P[known_P]), address=address, bounds=bounds
                    )
                number, dropped = int(known_P.sum()), int((~known_P).sum())
                rows.append(
                    evidence.row(
                        metric,
                        unit,
                        estimate,
                        n=number,
                        over="problems",
                        labels=labels,
                        dropped=dropped,
                    )
                )
                for index in np.flatnonzero(known_P) if singly else ():
                    single = {**labels, "problem": evidence.rollouts[index].problem.id}
                    n = int(answer.draws_P[index])
                    rows.append(
                        evidence.row(
                            metric, unit, float(value_P[index]), n=n, over="draws", labels=single
                        )
                    )
        return rows


def _stored(evidence: Evidence, ways: list[Way]) -> np.ndarray | None:
    """The base's pass@1 (ways, problems) from its own rows; None where they are missing."""
    stored = {
        (row.labels["way"], row.labels["problem"]): row.value
        for row in evidence.base_rows
        if row.metric == "elicitation/pass_at_k"
        and row.labels["k"] == "1"
        and "problem" in row.labels
    }
    if not stored:
        return None
    value_WP = [
        [stored.get((way.name, rollout.problem.id)) for rollout in evidence.rollouts]
        for way in ways
    ]
    return np.array(value_WP, dtype=np.float64)


@dataclass(frozen=True)
class Chosen:
    """pass@1 per problem in the way that the other half of the problems chose."""

    way_P: np.ndarray
    """Which way."""
    right_P: np.ndarray


def choose(right_WP: np.ndarray, second_P: np.ndarray) -> Chosen:
    """Each half of the problems judged in the way whose mean is highest on the other half; the
    first of equals.

    Args:
        right_WP: pass@1 by way, plain first, without unknown ones.
        second_P: Which half a problem is in.
    """
    way_P = np.zeros(len(second_P), dtype=np.int64)
    for half_P in (second_P, ~second_P):
        way_P[half_P] = right_WP[:, ~half_P].mean(axis=1).argmax()
    return Chosen(way_P, right_WP[way_P, np.arange(len(second_P))])


def halves(names: Sequence[str]) -> np.ndarray:
    """Which of two equal halves each problem is in, by its name rather than its position."""
    order = sorted(range(len(names)), key=lambda index: key("elicitation", "half", names[index]))
    second_P = np.zeros(len(names), dtype=bool)
    second_P[order[len(names) // 2 :]] = True
    return second_P


def _gain_rows(
    evidence: Evidence, ways: list[Way], mine_WP: np.ndarray, theirs_WP: np.ndarray
) -> list[Measurement]:
    """Rows for the gain, the gain beyond the best elicited base, and the share of the gain that
    elicitation reaches.
    """
    usable_P = ~np.isnan(mine_WP[0]) & ~np.isnan(theirs_WP[0])
    names = [
        rollout.problem.id
        for rollout, usable in zip(evidence.rollouts, usable_P, strict=True)
        if usable
    ]
    number, dropped = len(names), int((~usable_P).sum())
    if number < 2:  # nothing to choose on, or nothing to judge
        return [
            evidence.row(metric, unit, None, n=0, over="problems", dropped=dropped)
            for metric, unit in GAIN_UNITS.items()
        ]
    mine_WP, theirs_WP = _filled(mine_WP[:, usable_P]), _filled(theirs_WP[:, usable_P])
    second_P, gain_P = halves(names), mine_WP[0] - theirs_WP[0]
    rows = [*_mean_rows(evidence, "elicitation/gain", gain_P, names, {}, dropped)]
    gain = rows[0]
    for among in ("all ways", "ways without the key"):
        allowed = [w for w, way in enumerate(ways) if among == "all ways" or not way.uses_truth]
        best, own_best = choose(theirs_WP[allowed], second_P), choose(mine_WP[allowed], second_P)
        labels = {"among": among}
        rows += _mean_rows(
            evidence, "elicitation/gain_beyond", mine_WP[0] - best.right_P, names, labels, dropped
        )
        rows += _mean_rows(
            evidence,
            "elicitation/gain_best_to_best",
            own_best.right_P - best.right_P,
            names,
            labels,
            dropped,
        )
        reached: Estimate | None = None
        if gain.lower is not None and gain.lower > 0:
            reached = ratio_over_problems(
                list(best.right_P - theirs_WP[0]),
                list(gain_P),
                address=f"elicitation/share_reached/{among}",
            )
        n = number if reached else 0
        rows.append(
            evidence.row(
                "elicitation/share_reached",
                "ratio",
                reached,
                n=n,
                over="problems",
                labels=labels,
                dropped=dropped,
            )
        )
        for index in sorted(set(best.way_P.tolist())):
            chosen = {**labels, "way": ways[allowed[index]].name}
            share = float((best.way_P == index).mean())
            rows.append(
                evidence.row(
                    "elicitation/chosen",
                    "share",
                    share,
                    n=number,
                    over="problems",
                    labels=chosen,
                    dropped=dropped,
                )
            )
    return rows


def _filled(right_WP: np.ndarray) -> np.ndarray:
    """Unknown answers replaced by the plain ones."""
    return np.where(np.isnan(right_WP), right_WP[0], right_WP)


def _mean_rows(
    evidence: Evidence,
    metric: str,
    value_P: np.ndarray,
    names: Sequence[str],
    labels: dict[str, str],
    dropped: int,
) -> list[Measurement]:
    """The mean over problems with its interval, and each problem's own."""
    estimate = mean_over_problems(
        list(value_P), address=f"{metric}/{'/'.join(labels.values())}", bounds=(-1.0, 1.0)
    )
    mean_row = evidence.row(
        metric, DIFFERENCE, estimate, n=len(names), over="problems", labels=labels, dropped=dropped
    )
    singles = [
        evidence.row(
            metric,
            DIFFERENCE,
            float(value),
            n=1,
            over="problems",
            labels={**labels, "problem": name},
        )
        for name, value in zip(names, value_P, strict=True)
    ]
    return [mean_row, *singles]
