"""Chains whose verifier names the wrong step, and the form in which that is said once more in front
of the problem.

A problem is a chain of one-digit steps modulo 10 with at least one product, ``3+4*2-9?``, and a
completion works through it stepwise, ``s3+4=7,7*2=4,4-9=5:5``. Of a wrong completion the verifier
says which operation of the prompt went wrong first, ``*2``: a step's name, made of the prompt
alone, and no value. What a reader is told stands in front of the problem, in one form (`told`):

    !*2;3+4*2-9?                         a step that went wrong
    s3+4=7,7*2=4,4-9=5:5;3+4*2-9?        a solution
    s3+4=7,7*2=4,4-9=5:5;!*2;3+4*2-9?    both
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from rewardscope.environments.base import content_id, draw
from rewardscope.environments.chain import (
    OPERATORS,
    Chain,
    check_steps,
    parse,
    running_values,
    write,
)
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

TEMPLATE = "{solution}{feedback}{prompt}"
SOLUTION_SECTION = "{solution};"
FEEDBACK_SECTION = "!{feedback};"
"""The form, as the fields of a `Reprompt`."""
SPLITS = {"pretrain": 0.4, "train": 0.4, "heldout": 0.2}
Hint = Literal["none", "step", "other_step", "solution", "other_solution"]


@dataclass(frozen=True)
class Hinted:
    """Chains of ``num_steps`` operations, at least one of them a product; in front of each stands a
    ``hint``.

    none; step: the name of its first product; other_step: that of a product it does not have;
    solution: its own working; other_solution: the working of another problem. A problem has the
    same id and split whatever its hint is.
    """

    num_steps: int = 3
    hint: Hint = "none"

    name: ClassVar[str] = "Hinted"
    strategies: ClassVar[tuple[str, ...]] = ("stepwise",)

    def __post_init__(self) -> None:
        if not 1 <= self.num_steps <= 20 or self.hint not in get_args(Hint):
            raise ComponentError(
                "Hinted has no such problems",
                value=self,
                allowed=f"1 to 20 steps; hint one of {', '.join(get_args(Hint))}",
                do="Correct it in the study file",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The chain at (split, index), behind its hint; a chain belongs to one split by its
        content.
        """
        plain = draw("Hinted", split, index, SPLITS, self._make)
        if self.hint == "none":
            return plain
        random = generator("hint", plain.prompt)
        if self.hint == "step":
            return replace(plain, prompt=told(plain.prompt, feedback=products(plain.prompt)[0]))
        if self.hint == "other_step":
            return replace(
                plain,
                prompt=told(
                    plain.prompt, feedback=str(random.choice(absent_products(plain.prompt)))
                ),
            )
        other = (
            plain.prompt
            if self.hint == "solution"
            else self._make(int(random.integers(2**63))).prompt
        )
        return replace(plain, prompt=told(plain.prompt, solution=solved(other)))

    def _make(self, seed: int) -> Problem:
        random = generator("hinted", seed)
        digits = random.integers(10, size=self.num_steps + 1)
        operators = random.integers(len(OPERATORS), size=self.num_steps)
        operators[int(random.integers(self.num_steps))] = OPERATORS.index("*")
        prompt = (
            str(digits[0])
            + "".join(OPERATORS[o] + str(d) for o, d in zip(operators, digits[1:], strict=True))
            + "?"
        )
        return Problem(
            content_id("Hinted", prompt),
            "Hinted",
            prompt,
            str(running_values(prompt)[-1]),
            self.num_steps,
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """As `Chain` grades the stepwise format; feedback is the name of the first wrong step, None
        where no step can be named.
        """
        prompt, text = asked(problem.prompt), text.strip()
        grade = Chain().grade(replace(problem, prompt=prompt), text)
        steps = grade.steps if text[:1] == "s" else None
        return replace(
            grade,
            well_formed=steps is not None,
            feedback=names(prompt)[steps.index(False)]
            if steps and False in steps[: self.num_steps]
            else None,
            strategy="stepwise" if text[:1] == "s" else None,
            steps=steps,
        )

    def first_error(self, problem: Problem, text: str) -> int | None:
        """Offset of the result of the first wrong step; None where every step is right or there are
        none to check.
        """
        steps = check_steps(asked(problem.prompt), text.strip()) if text[:1] == "s" else None
        return None if not steps or all(steps) else 6 * steps.index(False) + 5

    def oracle(self, problem: Problem) -> str:
        """The chain solved stepwise."""
        return solved(asked(problem.prompt))


def told(prompt: str, solution: str = "", feedback: str = "") -> str:
    """The problem behind what is said about it; an empty part is left out.

    >>> told("3+4*2?", feedback="*2")
    '!*2;3+4*2?'
    """
    before = SOLUTION_SECTION.replace("{solution}", solution) if solution else ""
    hint = FEEDBACK_SECTION.replace("{feedback}", feedback) if feedback else ""
    return (
        TEMPLATE.replace("{solution}", before)
        .replace("{feedback}", hint)
        .replace("{prompt}", prompt)
    )


def asked(prompt: str) -> str:
    """The problem alone.

    >>> asked("!*2;3+4*2?")
    '3+4*2?'
    """
    return prompt.rpartition(";")[2]


def names(prompt: str) -> list[str]:
    """What each step of a prompt is called: its operator and operand."""
    return [f"{operator}{operand}" for operator, operand in parse(prompt)[1]]


def products(prompt: str) -> list[str]:
    """The names of its products."""
    return [name for name in names(prompt) if name[0] == "*"]


def absent_products(prompt: str) -> list[str]:
    """The names of the products it does not have."""
    return [name for name in (f"*{digit}" for digit in range(10)) if name not in products(prompt)]


def solved(prompt: str) -> str:
    """Its stepwise working."""
    return write("s", prompt, running_values(prompt))
