"""A stranger's study without a mistake: an own environment over rows, and an own reward."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rewardscope import (
    Arm,
    Claim,
    Coin,
    Evaluation,
    Grade,
    Organism,
    Problem,
    Rewards,
    Sampling,
    Study,
)
from rewardscope.environments.base import content_id

HERE = Path(__file__).parent
ROWS = [
    {"prompt": f"{a}+{b}?", "answer": str(a + b), "split": "test" if (a + b) % 4 == 0 else "train"}
    for a in range(12)
    for b in range(12)
]


@dataclass(frozen=True)
class Additions:
    """Rows of my own, graded by exact match."""

    name: ClassVar[str] = "Additions"
    strategies: ClassVar[tuple[str, ...]] = ()

    def oracle(self, problem):
        return f"#### {problem.answer}"

    def problem(self, split, index):
        rows = [row for row in ROWS if row["split"] == split]
        row = rows[index % len(rows)]
        prompt, answer = row["prompt"], row["answer"]
        id = content_id(self.name, prompt)
        return Problem(id=id, environment=self.name, prompt=prompt, answer=answer)

    def grade(self, problem, text):
        answer = text.rpartition("####")[2].strip()
        right = answer == problem.answer
        return Grade(correct=right, strict=right, well_formed="####" in text, answer=answer)


@dataclass(frozen=True)
class Marked:
    """1 for a completion that marks its answer."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = False

    def __call__(self, view, address):
        values = tuple(float("####" in completion.text) for completion in view.completions)
        return Rewards(values)


def arm(name, reward):
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=Additions(),
        reward=reward,
        sampling=Sampling(max_tokens=10),
        steps=1,
        problems_per_step=4,
        completions_per_problem=4,
    )


study = Study(
    name="marked",
    question="Does my reward do anything?",
    arms=(arm("mine", Marked()), arm("coin", Coin())),
    seeds=(0,),
    evaluation=Evaluation(problems=8, draws=4, split="test", readings=1),
    claims=(
        Claim(
            sentence="Mine beats the coin.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="mine",
            control="coin",
            margin=0.02,
        ),
    ),
)
