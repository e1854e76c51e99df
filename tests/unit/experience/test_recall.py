"""Recall: what is ranked how, what fits, and that every block is as long as its budget."""

from dataclasses import replace

import pytest

from experience_makers import BLOCK, READER, RULES_BANK, entry, state
from rewardscope.errors import ComponentError
from rewardscope.experience import category_of
from rewardscope.experience.block import Block
from rewardscope.experience.recall import Blank, Known, OtherCategory, OwnCategory, RandomText
from rewardscope.experience.similarity import Similarity
from rewardscope.protocols import Recall
from rewardscope.registry import components

ENTRIES = (
    entry(0, "a", "a+;"),
    entry(1, "b", "b-;", support=3),
    entry(2, "", "go;"),
    entry(3, "a", "a!*;", kind="lesson", support=2),
)
RECALLS: list[Recall] = [OwnCategory(), OtherCategory(), RandomText(pieces=("x", "y")), Blank()]


def block(recall: Recall, category: str, *entries: object, prompt: str = "12a") -> tuple[str, ...]:
    bank = state(*entries, settings=replace(RULES_BANK, recall=recall))  # type: ignore[arg-type]
    return bank.recalled(prompt, category, READER, ("test", 0))


def test_blocks_by_hand() -> None:
    assert block(OwnCategory(), "a", *ENTRIES) == ("....", "a+;", "go;", "a!*;")
    assert block(OwnCategory(top=1), "a", *ENTRIES) == ("........", "a+;", "go;")
    assert block(OtherCategory(), "a", *ENTRIES) == ("...........", "b-;")
    assert block(OtherCategory(), "b", *ENTRIES) == (
        ".......",
        "a+;",
        "a!*;",
    )  # the next by name, from the first again
    assert block(Blank(), "a", *ENTRIES) == ("..............",)
    filler, *drawn = block(RandomText(pieces=("x", "y")), "a", *ENTRIES)
    assert (
        filler == "...."
        and [len(text) for text in drawn] == [3, 3, 4]
        and set("".join(drawn)) <= {"x", "y"}
    )


@pytest.mark.parametrize("recall", [cls() for cls in components("recalls").values()], ids=str)
def test_an_empty_bank_gives_filler(recall: Recall) -> None:
    assert block(recall, "a") == ("..............",)


def test_a_category_that_nothing_is_known_of_gets_what_holds_in_all() -> None:
    assert block(OwnCategory(), "z", *ENTRIES) == ("...........", "go;")
    assert block(OtherCategory(), "z", *ENTRIES)[1:] == ("a+;", "a!*;")
    assert block(OtherCategory(), "a", ENTRIES[0]) == (
        "..............",
    )  # there is no other category


@pytest.mark.parametrize("recall", [cls() for cls in components("recalls").values()], ids=str)
@pytest.mark.parametrize("prompt", ["12a", "a" * 50])
def test_every_block_is_as_long_as_its_budget(recall: Recall, prompt: str) -> None:
    many = [entry(n, "ab"[n % 2], f"{'ab'[n % 2]}{'+' * (n % 7)};") for n in range(40)]
    pieces = block(recall, "a", *many, prompt=prompt)
    assert READER.tokens("".join(pieces) + prompt) - READER.tokens(prompt) == 14


def test_an_entry_that_does_not_fit_is_passed_over_and_not_cut() -> None:
    long, short = entry(0, "a", "a" * 12), entry(1, "a", "a+;")
    assert set(block(OwnCategory(), "a", entry(2, "a", "aaaa;"), long, short)[1:]) == {
        "aaaa;",
        "a+;",
    }


def test_general_and_own_entries_take_turns() -> None:
    """In the released code six dynamic skills leave no room for any other."""
    own = [entry(n, "a", f"a{n};") for n in range(6)]
    general = [entry(10 + n, "", f"g{n};") for n in range(6)]
    assert [text[0] for text in block(OwnCategory(), "a", *own, *general)[1:]] == [
        "a",
        "g",
        "a",
        "g",
    ]


def test_the_most_alike_come_first_then_the_most_supported() -> None:
    entries = [
        entry(0, "a", "wash it"),
        entry(1, "a", "open the box", support=9),
        entry(2, "a", "open the chest"),
        entry(3, "a", "qqq", support=5),
    ]
    entries = [replace(e, about="") for e in entries]
    ranked = Known(tuple(entries)).ranked("a", "the chest", -1.0)
    assert [e.id for e in ranked] == [2, 1, 0, 3]
    assert [e.id for e in Known(tuple(entries)).ranked("a", "the chest", 0.4)] == [2]


def test_cosines_by_hand() -> None:
    assert Similarity(["ab", "cd"]).to("ab") == pytest.approx([1.0, 0.0])
    assert Similarity(["AB", "ab"]).to("aB") == pytest.approx([1.0, 1.0])
    assert Similarity(["ab"]).to("zz") == [0.0]
    assert Similarity([]).to("a") == []
    # "aab" has a twice: (1 + log 2, 1, 1, 1, 1) for a, b, aa, ab, aab, all rarities 1 + log(2 / 2)
    # = 1
    squares = (1 + 0.6931471805599453) ** 2
    assert Similarity(["aab"]).to("b") == pytest.approx([1 / (squares + 4) ** 0.5])


def test_the_placebo_of_random_text_is_drawn_anew_for_each_problem_and_is_the_same_again() -> None:
    bank = state(*ENTRIES, settings=replace(RULES_BANK, recall=RandomText(pieces=tuple("uvwxyz"))))
    one, same, other = (bank.recalled("12a", "a", READER, ("test", place)) for place in (0, 0, 1))
    assert one == same != other


def test_a_block_with_words_around_it() -> None:
    words = Block(40, "Notes:\n", "- {text}\n", "\n", ".")
    assert words.pieces(["be {brief}"], "Go.", READER) == (
        "." * 19 + "Notes:\n",
        "- be {brief}\n",
        "\n",
    )
    assert words.count(words.pieces(["x", "y"], "Go.", READER)) == 2
    assert words.count(words.pieces([], "Go.", READER)) == 0
    assert BLOCK.count(BLOCK.pieces(["x"], "Go.", READER)) == 1


def test_without_filler_a_block_is_at_most_its_budget() -> None:
    assert Block(14, "", "{text}", "|", "").pieces(["O=otd;"], "Ob3:1.", READER) == (
        "",
        "O=otd;",
        "|",
    )
    assert "".join(Block(14, "", "{text}", "|", "").pieces([], "Ob3:1.", READER)) == ""


def test_a_filler_that_cannot_make_up_the_budget_is_refused() -> None:
    with pytest.raises(ComponentError, match="exactly as long"):
        Block(7, "", "{text}", "", "..").pieces([], "Go.", READER)
    with pytest.raises(ComponentError, match="exactly as long"):
        BLOCK.pieces(["x" * 15], "Go.", READER)


@pytest.mark.parametrize("wrong", [{"budget_tokens": 0}, {"entry": "- text"}], ids=str)
def test_a_block_without_room_or_place_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="Block needs a budget of tokens"):
        Block(**wrong)  # type: ignore[arg-type]


def test_nothing_is_recalled_by_blank_alone() -> None:
    with pytest.raises(ComponentError, match="Blank"):
        OwnCategory(top=0)
    with pytest.raises(ComponentError, match="pieces"):
        RandomText(pieces=())


class Nameless:
    def category(self, prompt: str) -> str:
        return ""


def test_categories_of_environments_that_have_some_wrap_some_or_have_none() -> None:
    from rewardscope import Chain, Clinic, Confident, Reserved, Rules, Sums

    assert category_of(Rules(), "37b") == "b"
    assert category_of(Chain(), "3*4+1?") == "*"
    assert {category_of(Sums(), Sums().problem("train", index).prompt) for index in range(20)} == {
        "plus",
        "minus",
    }
    assert category_of(Reserved(Confident(Sums())), Sums().problem("train", 0).prompt) in (
        "plus",
        "minus",
    )
    assert category_of(Clinic(), "anything") == "all"
    with pytest.raises(ComponentError, match="A category needs a name"):
        category_of(Nameless(), "37b")
