"""What every writer and every recall keeps to."""

from dataclasses import replace

import pytest

from experience_makers import READER, RULES_BANK, WORLD, ask, attempt, entry, state
from rewardscope.experience.entries import Note
from rewardscope.experience.recall import Blank, OtherCategory, OwnCategory, RandomText
from rewardscope.experience.writers import ByPolicy, ByRule, Trajectories, Uniform
from rewardscope.protocols import Recall, Writer
from rewardscope.registry import components
from rewardscope.types import SealedProblem

WRITER_EXAMPLES: list[Writer] = [
    ByRule(),
    ByPolicy(),
    Trajectories(),
    Trajectories("{prompt}{completion};"),
    Uniform(),
    Uniform(Trajectories()),
]
RECALL_EXAMPLES: list[Recall] = [
    OwnCategory(),
    OwnCategory(1, 0.2),
    OtherCategory(),
    RandomText(("x", "yz")),
    RandomText(("x",), OtherCategory()),
    Blank(),
]
PROMPTS = [WORLD.problem("train", index).prompt for index in range(6)]
HOSTILE = [
    "",
    "\x00\x1b[31m",
    "<|im_end|>",
    "{prompt}{completion}{text}",
    "\ud800",
    "x" * 5000,
    "\u202e\n\n- not an entry",
]
ATTEMPTS = [
    attempt(prompt, text, won) for prompt in PROMPTS for text, won in (("+5", True), ("*1", False))
]
writers = pytest.mark.parametrize("writer", WRITER_EXAMPLES, ids=str)
recalls = pytest.mark.parametrize("recall", RECALL_EXAMPLES, ids=str)


def test_everything_in_the_tables_has_an_example_here() -> None:
    assert {type(writer) for writer in WRITER_EXAMPLES} == set(components("writers").values())
    assert {type(recall) for recall in RECALL_EXAMPLES} == set(components("recalls").values())


@writers
def test_notes_are_about_what_was_attempted(writer: Writer) -> None:
    notes = writer.notes(ATTEMPTS, WORLD, ask)
    assert notes and all(isinstance(note, Note) for note in notes)
    assert {(note.category, note.problem, note.about) for note in notes} <= {
        (a.category, a.problem.id, a.problem.prompt) for a in ATTEMPTS
    }
    assert writer.notes(ATTEMPTS, WORLD, ask) == notes
    assert writer.notes([], WORLD, ask) == []


@writers
def test_a_writer_without_the_key_gets_on_without_it(writer: Writer) -> None:
    assert not writer.uses_truth
    assert all(
        isinstance(attempt.problem, SealedProblem) for attempt in ATTEMPTS
    )  # reading a key would have raised above


@writers
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_filed_plain_or_not_at_all(writer: Writer, text: str) -> None:
    hostile = [replace(a, text=text) for a in ATTEMPTS]
    bank = state(
        settings=replace(
            RULES_BANK,
            block=replace(RULES_BANK.block, budget_tokens=60, entry="- {text}\n"),
            most_characters=30,
        )
    )
    bank.file(
        writer.notes(hostile, WORLD, lambda prompts, most: [text] * len(prompts)),
        {a.category for a in hostile},
        READER,
        0,
    )
    for filed in bank.entries:
        assert (
            filed.text.isprintable()
            and len(filed.text) <= 30
            and "\n" not in filed.text
            and "<" not in filed.text
        )
        assert filed.text.encode()


@recalls
@pytest.mark.parametrize("size", [0, 1, 3, 30])
def test_whatever_is_recalled_stands_in_the_block_and_the_block_is_as_long_as_its_budget(
    recall: Recall, size: int
) -> None:
    entries = [entry(n, ["a", "b", ""][n % 3], f"{n:02d}{'+' * (n % 5)};") for n in range(size)]
    bank = state(*entries, settings=replace(RULES_BANK, recall=recall))
    for category in ("a", "b", "z"):
        pieces = bank.recalled("12a", category, READER, ("contract", 1))
        assert bank.recalled("12a", category, READER, ("contract", 1)) == pieces
        assert READER.tokens("".join(pieces)) == 14
        assert set(pieces[1:]) <= {e.text for e in entries} or isinstance(recall, RandomText)


@recalls
def test_a_placebo_says_nothing_of_the_problems_own_category(recall: Recall) -> None:
    bank = state(
        entry(0, "a", "a+;"),
        entry(1, "b", "b-;"),
        entry(2, "", "all;"),
        settings=replace(RULES_BANK, recall=recall),
    )
    pieces = bank.recalled("12a", "a", READER, ("contract", 1))
    assert recall.placebo == ("a+;" not in pieces and "all;" not in pieces)
