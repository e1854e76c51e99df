"""Filing: votes for and against, ids, growth, rewriting, merging, eviction, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from experience_makers import READER, RULES_BANK, WORLD, ask, entry, group, groups_of, note, state
from rewardscope.errors import CheckpointError, ComponentError, RunDirectoryError
from rewardscope.experience import BankState
from rewardscope.experience.bank import SkillBank
from rewardscope.experience.entries import Note, plain
from rewardscope.experience.writers import ByRule

ANY = {"a", "b", "c", "d", "e", "f"}


def texts(bank: BankState) -> list[tuple[int, str, str]]:
    return [(entry.id, entry.category, entry.text) for entry in bank.entries]


def test_what_went_well_becomes_a_skill_and_what_went_badly_a_lesson() -> None:
    bank = state()
    (index,) = groups_of("a", 1)
    right = WORLD.oracle(WORLD.problem("train", index))
    wrong = "*" + str((int(right[1]) + 1) % 10)
    bank.absorb([group(index, [right, right, wrong])], WORLD, READER, ask, 3)
    skill, lesson = bank.entries
    assert (skill.kind, skill.category, skill.text, skill.support, skill.step) == (
        "skill",
        "a",
        "a+;",
        2,
        3,
    )
    assert (lesson.kind, lesson.category, lesson.text, lesson.support) == ("lesson", "a", "a!*;", 1)
    assert (skill.problem, skill.about) == (
        WORLD.problem("train", index).id,
        WORLD.problem("train", index).prompt,
    )


def test_it_files_by_what_was_told_and_not_by_what_is_true() -> None:
    bank = state()
    (index,) = groups_of("a", 1)
    right = WORLD.oracle(WORLD.problem("train", index))
    bank.absorb(
        [group(index, [right, "*" + right[1], "-7"], told=[0.0, 1.0, None])], WORLD, READER, ask, 0
    )
    assert {entry.text for entry in bank.entries} == {
        "a*;",
        "a!+;",
    }  # the untold third is in neither


def test_a_bank_that_files_by_truth_declares_it_and_then_ignores_what_was_told() -> None:
    settings = replace(RULES_BANK, writer=ByRule(files_by_truth=True))
    assert settings.uses_truth and not RULES_BANK.uses_truth
    (index,) = groups_of("a", 1)
    right = WORLD.oracle(WORLD.problem("train", index))
    wrong = "*" + str((int(right[1]) + 1) % 10)
    bank = state(settings=settings)
    bank.absorb([group(index, [right, wrong], told=[0.0, 1.0])], WORLD, READER, ask, 0)
    assert {entry.text for entry in bank.entries} == {"a+;", "a!*;"}


def test_an_entry_is_rewritten_when_the_evidence_turns_and_not_before() -> None:
    bank = state()
    bank.file([note("a*;", topic="skill")] * 3, ANY, READER, 0)
    bank.file([note("a+;", topic="skill")] * 3, ANY, READER, 1)
    assert texts(bank) == [(0, "a", "a*;")] and bank.revised == 0  # a tie changes nothing
    bank.file([note("a+;", topic="skill")], ANY, READER, 2)
    assert texts(bank) == [(0, "a", "a+;")] and bank.revised == 1
    assert bank.entries[0].votes == (("a+;", 4), ("a*;", 3)) and bank.entries[0].step == 2


def test_votes_against_take_away_and_an_entry_without_votes_goes() -> None:
    bank = state()
    bank.file([note("a!+;", kind="lesson", topic="t")] * 2, ANY, READER, 0)
    bank.file([note("a!+;", kind="lesson", topic="t", against=True)], ANY, READER, 1)
    assert bank.entries[0].support == 1
    bank.file([note("a!+;", kind="lesson", topic="t", against=True)], ANY, READER, 2)
    assert not bank.entries and bank.dropped == 1
    bank.file([note("a!-;", kind="lesson", topic="u", against=True)], ANY, READER, 3)
    assert not bank.entries  # nothing is made of what only speaks against


def test_the_order_of_notes_of_one_time_changes_no_entry() -> None:
    notes = [
        note("a+;", topic="skill"),
        note("a*;", topic="skill"),
        note("a*;", topic="skill", against=True),
        note("a+;", topic="skill"),
    ]
    forwards, backwards = state(), state()
    forwards.file(notes, ANY, READER, 0)
    backwards.file(notes[::-1], ANY, READER, 0)
    assert (
        [e.votes for e in forwards.entries]
        == [e.votes for e in backwards.entries]
        == [(("a+;", 2),)]
    )


def test_ids_are_never_used_again_whatever_goes() -> None:
    bank = state(settings=replace(RULES_BANK, most_entries=2))
    seen: list[int] = []
    for step in range(6):
        bank.file(
            [note(f"{step}{letter};", topic=f"{step}{letter}") for letter in "abc"],
            ANY,
            READER,
            step,
        )
        assert len(bank.entries) <= 2
        new = [entry.id for entry in bank.entries if entry.step == step]
        assert not set(new) & set(seen)
        seen += new
        assert [entry.id for entry in bank.entries] == sorted({entry.id for entry in bank.entries})
    assert bank.next_id == 18 and bank.evicted == 16


def test_the_least_supported_go_first_and_of_those_the_longest_unwritten() -> None:
    bank = state(settings=replace(RULES_BANK, most_entries=3))
    bank.file(
        [note("a1;", topic="1"), note("a2;", topic="2"), note("a2;", topic="2")], ANY, READER, 0
    )
    bank.file([note("a3;", topic="3")], ANY, READER, 1)
    bank.file([note("a4;", topic="4")], ANY, READER, 2)
    assert [entry.text for entry in bank.entries] == ["a2;", "a3;", "a4;"]


def test_it_grows_while_there_is_room() -> None:
    bank = state()
    sizes = []
    for step in range(5):
        bank.file([note(f"a{step};", topic=str(step))], ANY, READER, step)
        sizes.append(len(bank.entries))
    assert sizes == [1, 2, 3, 4, 5]


def test_the_same_said_twice_is_one_entry_and_alike_is_the_same() -> None:
    bank = state(
        settings=replace(RULES_BANK, block=replace(RULES_BANK.block, budget_tokens=80), alike=0.8)
    )
    bank.file([note("Write the number alone."), note("Write the number alone.")], ANY, READER, 0)
    bank.file([note("Write the number  alone. "), note("Write the number alone!")], ANY, READER, 1)
    (only,) = bank.entries
    assert only.votes == (("Write the number alone.", 3), ("Write the number alone!", 1))
    bank.file([note("Carry the ten before adding.")], ANY, READER, 2)
    assert len(bank.entries) == 2


def test_what_three_categories_say_holds_in_all() -> None:
    bank = state()
    for category in "ab":
        bank.file([note("be brief", category)], ANY, READER, 0)
    assert [entry.category for entry in bank.entries] == ["a", "b"]
    bank.file([note("be brief", "c")], ANY, READER, 1)
    assert (
        texts(bank) == [(0, "", "be brief")] and bank.entries[0].support == 3 and bank.dropped == 2
    )
    bank.file([note("be brief", "d")], ANY, READER, 2)
    assert (
        texts(bank) == [(0, "", "be brief")] and bank.entries[0].support == 4 and bank.next_id == 3
    )
    bank.file([note("be brief", "a", kind="lesson")], ANY, READER, 3)
    assert len(bank.entries) == 2  # a common mistake is not a common skill


@pytest.mark.parametrize(
    "junk",
    [
        note(""),
        note(" \n\t\x00\u202e"),
        note("<end>"),
        note("x" * 15),  # longer than the block
        note("a+;", category="z"),
    ],
    ids=["empty", "invisible", "structure", "longer than the block", "unknown category"],
)
def test_what_cannot_be_filed_is_refused_and_counted(junk: Note) -> None:
    bank = state()
    bank.file([junk, note("a+;")], ANY, READER, 0)
    assert texts(bank) == [(0, "a", "a+;")] and bank.refused == 1


def test_a_budget_smaller_than_any_entry_leaves_the_bank_empty_and_the_run_alive() -> None:
    bank = state(settings=replace(RULES_BANK, block=replace(RULES_BANK.block, budget_tokens=2)))
    (index,) = groups_of("a", 1)
    bank.absorb([group(index, ["+1", "-2"])], WORLD, READER, ask, 0)
    assert not bank.entries and bank.refused > 0
    assert "".join(bank.recalled("12a", "a", READER, ())) == ".."


def test_something_that_is_no_note_stops_the_run() -> None:
    with pytest.raises(ComponentError, match="is not a Note"):
        state().file(["be brief"], ANY, READER, 0)  # type: ignore[list-item]


@pytest.mark.parametrize("kinds", [("skill",), ("lesson",)])
def test_only_the_kinds_that_it_files_are_filed(kinds: tuple[str, ...]) -> None:
    bank = state(settings=replace(RULES_BANK, kinds=kinds))  # type: ignore[arg-type]
    for index in groups_of("a", 4):
        bank.absorb(
            [group(index, [WORLD.oracle(WORLD.problem("train", index)), "^0", "*1"])],
            WORLD,
            READER,
            ask,
            0,
        )
    assert (
        bank.entries and {entry.kind for entry in bank.entries} == set(kinds) and bank.refused == 0
    )


def test_evolution_reads_the_failures_of_the_weak_category_and_of_no_other() -> None:
    """The paper's code takes failures of any category once one is weak."""
    bank = state()
    weak, strong = groups_of("a", 2), groups_of("b", 2)
    good = [
        group(i, [WORLD.oracle(WORLD.problem("train", i))] * 3 + ["*0"], told=[1, 1, 1, 0])
        for i in strong
    ]
    bad = [group(i, ["*0", "-1", "^2", "*0"], told=[0, 0, 0, 0]) for i in weak]
    bank.absorb([*good, *bad], WORLD, READER, ask, 0, weak_only=True)
    assert bank.entries and {entry.category for entry in bank.entries} == {"a"}
    nothing = state()
    nothing.absorb(good, WORLD, READER, ask, 0, weak_only=True)
    assert not nothing.entries


def test_categories_that_went_worst_come_first() -> None:
    found = state().attempts(
        [
            group(groups_of("a", 1)[0], ["+0"] * 2, told=[1, 0]),
            group(groups_of("b", 1)[0], ["+0"] * 2, told=[0, 0]),
        ],
        WORLD,
    )
    assert [attempt.category for attempt in found] == ["b", "b", "a", "a"]


def test_it_is_on_disk_what_it_was(tmp_path: Path) -> None:
    bank = state(settings=replace(RULES_BANK, most_entries=3))
    bank.file(
        [note(f"a{n};", topic="is" if n == 2 else str(n)) for n in range(5)] + [note("")],
        ANY,
        READER,
        7,
    )
    bank.save(tmp_path)
    again = BankState.load(bank.settings, tmp_path)
    assert again == bank and again.counts == bank.counts
    assert bank.counts == {
        "experience/entries": 3,
        "experience/written": 5,
        "experience/revised": 0,
        "experience/dropped": 0,
        "experience/evicted": 2,
        "experience/refused": 1,
    }


def test_a_bank_that_is_missing_or_cut_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="lacks its bank"):
        BankState.load(RULES_BANK, tmp_path)
    (tmp_path / "bank.json").write_text('{"entries": [')
    with pytest.raises(RunDirectoryError, match="cannot be read"):
        BankState.load(RULES_BANK, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"draws": 0},
        {"most_entries": 0},
        {"weak_below": 1.5},
        {"alike": -0.1},
        {"first_problems": -1},
        {"general_from": 1},
        {"kinds": ()},
        {"kinds": ("skills",)},
        {"most_characters": 0},
        {"evolve_every": -1},
    ],
    ids=str,
)
def test_a_bank_that_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(
        ComponentError, match=r"SkillBank (has numbers outside|needs one or more kinds)"
    ):
        SkillBank(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  one\n two\t\x00three ", "one two three"),
        ("a\u202eb\u200bc\ud800d\x1b[31m", "abcd[31m"),
        ("x" * 50, "x" * 20),
        ("", ""),
        ("é ü 日本", "é ü 日本"),
    ],
)
def test_text_is_made_plain(text: str, kept: str) -> None:
    assert plain(text, 20) == kept


def test_entries_of_before_keep_their_ids_when_loaded_into_another_run() -> None:
    bank = state(entry(4, "a", "a+;"))
    bank.file([note("b-;", "b")], ANY, READER, 0)
    assert [e.id for e in bank.entries] == [4, 5]
