"""Small builders for what a bank is made of."""

from collections.abc import Sequence

from factories import completion
from rewardscope import Rules
from rewardscope.experience import BankState
from rewardscope.experience.bank import SkillBank
from rewardscope.experience.block import Block
from rewardscope.experience.entries import Attempt, Entry, Note
from rewardscope.experience.writers import ByRule
from rewardscope.types import Rewards, Rollout, sealed

WORLD = Rules()
BLOCK = Block(budget_tokens=14, opening="", entry="{text}", closing="", filler=".")
RULES_BANK = SkillBank(writer=ByRule(), block=BLOCK, first_problems=0, from_training=True)


class Characters:
    """A reader for whom every character is a token, and < one that structures prompts."""

    def tokens(self, prompt: str) -> int:
        return len(prompt)

    def plain(self, text: str) -> bool:
        return "<" not in text


READER = Characters()


def ask(prompts: Sequence[str], max_tokens: int) -> list[str]:
    return [f"advice {place}"[:max_tokens] for place in range(len(prompts))]


def group(
    index: int,
    texts: Sequence[str],
    told: Sequence[float | None] | None = None,
    split: str = "train",
) -> Rollout:
    """The completions of a problem of the rules, told what is true unless told something else."""
    problem = WORLD.problem(split, index)
    grades = tuple(WORLD.grade(problem, text) for text in texts)
    rewards = tuple(float(bool(grade.correct)) for grade in grades) if told is None else tuple(told)
    return Rollout(problem, 0, tuple(completion(text) for text in texts), grades).told(
        Rewards(rewards)
    )


def groups_of(kind: str, count: int) -> list[int]:
    """Indices of different training problems of a kind."""
    found: dict[str, int] = {}
    for index in range(2000):
        problem = WORLD.problem("train", index)
        if problem.prompt[-1] == kind:
            found.setdefault(problem.id, index)
    return list(found.values())[:count]


def attempt(prompt: str, text: str, won: bool) -> Attempt:
    index = (
        next(i for i in range(20_000) if WORLD.problem("train", i).prompt == prompt)
        if prompt
        else 0
    )
    problem = sealed(group(index, [text])).problem
    return Attempt(problem.prompt[-1], problem, text, won)


def entry(id: int, category: str, text: str, kind: str = "skill", support: int = 1) -> Entry:
    return Entry(id, kind, category, text, "", ((text, support),), f"{id:016x}", f"12{category}", 0)  # type: ignore[arg-type]


def note(
    text: str, category: str = "a", kind: str = "skill", topic: str = "", against: bool = False
) -> Note:
    return Note(kind, category, text, topic, against, "00aa", "12a")  # type: ignore[arg-type]


def state(*entries: Entry, settings: SkillBank = RULES_BANK) -> BankState:
    return BankState(settings, entries, max((e.id for e in entries), default=-1) + 1)
