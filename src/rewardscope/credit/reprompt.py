"""The self-teacher's prompt: the problem again, with a solution or feedback added."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from rewardscope.errors import ComponentError
from rewardscope.types import Rollout, SealedRollout

Solution = Literal["sibling", "failed", "other", "empty", "none"]
Feedback = Literal["without_solution", "always", "none"]
Whose = Literal["own", "other", "empty"]
View = Rollout | SealedRollout
SLOT = re.compile(r"\{(prompt|solution|feedback)\}")


@dataclass(frozen=True)
class Reprompt:
    """A teacher's prompt for each completion. Without evidence there is none, and the completion is
    not taught.

    solution: the first completion of the same problem with a reward of ``threshold`` or more; the
    completion itself counts only with ``own_success``. feedback: the verifier's text on the
    completion, which counts as reading the answer key; "without_solution" gives it only if there is
    no solution.
    Placebos of the same shape, given to the same completions: solution "failed" a failed sibling,
    "other" a success of another problem of the step, "empty" no section; ``feedback_of`` "other"
    what was said about another problem, "empty" no section. Where a placebo has nothing to give,
    the completion is not taught.

    Source:
        Huebotter et al. 2026, arXiv:2601.20802 (SDPO), table 2; defaults and template are its
            code's at 0e6d510. The code leaves out a completion's own success, which the table
            passes in, so a lone success is not taught.
    """

    solution: Solution = "sibling"
    feedback: Feedback = "none"
    feedback_of: Whose = "own"
    threshold: float = 1.0
    own_success: bool = False
    template: str = "{prompt}{solution}{feedback}\n\nCorrectly solve the original question.\n"
    solution_section: str = "\n\nCorrect solution:\n\n{solution}"
    feedback_section: str = (
        "\n\nThe following is feedback from your unsuccessful earlier attempt:\n\n{feedback}"
    )

    def __post_init__(self) -> None:
        known = (
            self.solution in get_args(Solution)
            and self.feedback in get_args(Feedback)
            and self.feedback_of in get_args(Whose)
        )
        placed = (
            "{prompt}" in self.template
            and "{solution}" in self.solution_section
            and "{feedback}" in self.feedback_section
        )
        if not known or not placed or (self.solution, self.feedback) == ("none", "none"):
            raise ComponentError(
                "A reprompt needs the problem, and a solution or feedback",
                value=self,
                allowed=f"solution one of {', '.join(get_args(Solution))}; feedback one of "
                f"{', '.join(get_args(Feedback))}, not both none; "
                f"feedback_of one of {', '.join(get_args(Whose))}; "
                "{prompt} in the template, {solution} and {feedback} in their sections",
                do="Correct it in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether there is feedback: it is written with the answer key and given to wrong
        completions, and so is a placebo's. A sibling is chosen by its reward alone.
        """
        return self.feedback != "none"

    def texts(
        self, views: Sequence[View], rewards_PG: Sequence[Sequence[float | None]]
    ) -> list[str | None]:
        """One text per completion of the step, problem-major.

        Args:
            views: The step's groups, sealed unless ``uses_truth``.
            rewards_PG: The reward of each completion; None = none.
        """
        won_PG = [
            [told is not None and told >= self.threshold for told in rewards]
            for rewards in rewards_PG
        ]
        texts: list[str | None] = []
        for p, view in enumerate(views):
            for g in range(len(view.completions)):
                solved = self.solution != "none" and any(
                    won and (h != g or self.own_success) for h, won in enumerate(won_PG[p])
                )
                solution = self._solution(views, won_PG, rewards_PG, p, g) if solved else None
                criticised = self.feedback == "always" or (
                    self.feedback == "without_solution" and not solved
                )
                criticised = criticised and _said(view, g) is not None
                feedback = self._feedback(views, p, g) if criticised else None
                # a placebo with a missing section would have another shape than the treatment
                lacks = (solved and solution is None) or (criticised and feedback is None)
                texts.append(
                    None if lacks else self._write(view.problem.prompt, solution, feedback)
                )
        return texts

    def _solution(
        self,
        views: Sequence[View],
        won_PG: list[list[bool]],
        rewards_PG: Sequence[Sequence[float | None]],
        p: int,
        g: int,
    ) -> str | None:
        if self.solution == "empty":
            return ""
        if self.solution == "other":
            others = [
                (q, h)
                for q in (*range(p + 1, len(views)), *range(p))
                for h, won in enumerate(won_PG[q])
                if won
            ]
            return views[others[0][0]].completions[others[0][1]].said if others else None
        if self.solution == "failed":
            chosen = [
                h
                for h, won in enumerate(won_PG[p])
                if not won and rewards_PG[p][h] is not None and h != g
            ]
        else:
            chosen = [h for h, won in enumerate(won_PG[p]) if won and (h != g or self.own_success)]
        return views[p].completions[chosen[0]].said if chosen else None

    def _feedback(self, views: Sequence[View], p: int, g: int) -> str | None:
        said = _said(views[p], g)
        if said is None or self.feedback_of == "own":
            return said
        if self.feedback_of == "empty":
            return ""
        others = (
            _said(views[q], h)
            for q in (*range(p + 1, len(views)), *range(p))
            for h in range(len(views[q].completions))
        )
        return next((other for other in others if other is not None), None)

    def _write(self, prompt: str, solution: str | None, feedback: str | None) -> str | None:
        """The template filled in one pass, so that braces in a completion stay text; None without a
        solution and feedback.
        """
        if solution is None and feedback is None:
            return None
        sections = {
            "prompt": prompt,
            "solution": self.solution_section.replace("{solution}", solution) if solution else "",
            "feedback": self.feedback_section.replace("{feedback}", feedback) if feedback else "",
        }
        return SLOT.sub(lambda slot: sections[slot[1]], self.template)


def _said(view: View, g: int) -> str | None:
    """The verifier's feedback on a completion that is not correct; None where it gave none."""
    grade = view.grades[g]
    return None if grade.correct else grade.feedback
