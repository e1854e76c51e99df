from collections.abc import Sequence
from dataclasses import replace

import pytest

from rewardscope.environments.confident import Confident
from rewardscope.environments.house import compact
from rewardscope.environments.house.compact import House, lesson_line, shortcut_lesson
from rewardscope.environments.house.world import RECIPES, SHORTCUTS, Action, State, world_of
from rewardscope.environments.reserved import Reserved
from rewardscope.environments.words import house as words
from rewardscope.environments.words.house import HouseInWords
from rewardscope.errors import ComponentError
from rewardscope.protocols import Environment
from rewardscope.types import Problem

KITCHEN = House()


def problem(category: str, goal: str, layout: str, start: str = "1") -> Problem:
    """A world by hand; the layout says where a, b, c, e and the key lie, then where the chest and
    the tap are.
    """
    facts = {"category": category, "goal": goal, "start": start, "layout": layout}
    return Problem("00000000000000aa", "House", f"{category}{goal}:", goal[-1], 3, facts)


WASH = problem("W", "b3", "4254435")  # the ball is in 2, the tap in 5 with the cup
OPEN = problem("O", "a4", "x222532")  # the apple is in the chest in 3
LOCK = problem("L", "a4", "x222532")  # and here the chest is locked, with the key in 5
PAIR = problem("P", "ae3", "2112544")  # the apple is in 2 with the egg


def played(
    environment: House | HouseInWords, asked: Problem, turns: Sequence[str]
) -> list[str | None]:
    """What is answered after each turn."""
    return [environment.reply(asked, turns[: count + 1]) for count in range(len(turns))]


def test_a_thing_is_washed_and_brought_by_hand() -> None:
    turns = ["g2", "tb", "g5", "wb", "g3", "db", "q"]
    assert played(KITCHEN, WASH, turns) == ["2b.", "+.", "5cs.", "+.", "3x.", "+.", None]
    grade = KITCHEN.grade(WASH, "\n".join(turns))
    assert (grade.correct, grade.strict, grade.well_formed, grade.answer) == (True, True, True, "3")
    assert (grade.steps, grade.strategy, grade.feedback) == ((True, True, True), "recipe", "W=twd;")


def test_a_thing_brought_unwashed_is_wrong_and_the_lesson_says_where() -> None:
    turns = ["g2", "tb", "g3", "db", "q"]
    grade = KITCHEN.grade(WASH, "\n".join(turns))
    assert (grade.correct, grade.strict, grade.well_formed, grade.answer) == (
        False,
        False,
        True,
        "3",
    )
    assert (grade.steps, grade.strategy, grade.feedback) == (
        (True, False, True),
        "shortcut",
        "W!2d>w,w<d;",
    )
    assert KITCHEN.skill(WASH, "\n".join(turns)) == "W=td;"


def test_a_mistake_that_is_made_good_is_forgiven() -> None:
    turns = ["g2", "tb", "g3", "db", "tb", "g5", "wb", "g3", "db", "q"]
    grade = KITCHEN.grade(WASH, "\n".join(turns))
    assert (grade.correct, grade.strict, grade.strategy, grade.steps) == (
        True,
        True,
        None,
        (True, True, True),
    )


def test_a_chest_is_opened_and_then_shows_what_is_in_it() -> None:
    turns = ["ox", "g3", "ta", "ox", "ox", "ta", "g3", "g4", "da", "q"]
    assert played(KITCHEN, OPEN, turns) == [
        "!.",
        "3x.",
        "!.",
        "a.",
        "!.",
        "+.",
        "3y.",
        "4.",
        "+.",
        None,
    ]
    assert KITCHEN.grade(OPEN, "\n".join(turns)).correct


def test_a_locked_chest_needs_the_key_in_hand() -> None:
    turns = ["g3", "ox", "g5", "tk", "g3", "ox", "ta", "g4", "da", "q"]
    assert played(KITCHEN, LOCK, turns) == [
        "3x.",
        "!.",
        "5k.",
        "+.",
        "3x.",
        "a.",
        "+.",
        "4.",
        "+.",
        None,
    ]
    grade = KITCHEN.grade(LOCK, "\n".join(turns))
    assert (grade.correct, grade.steps, grade.strategy) == (
        True,
        (True,) * 4,
        None,
    )  # one try too many for the recipe
    assert KITCHEN.grade(LOCK, "g3\nox\nta\ng4\nda\nq").feedback == "L!1o>k,k<o;"


def test_a_pair_is_there_when_both_are() -> None:
    assert KITCHEN.grade(PAIR, "g2\nta\nte\ng3\nda\nde\nq").correct
    apart = KITCHEN.grade(PAIR, "g2\nta\ng3\nda\ng2\nte\ng3\nde\nq")
    assert (apart.correct, apart.strategy, apart.feedback) == (True, "recipe", "P=tdtd;")
    one = KITCHEN.grade(PAIR, "g2\nta\ng3\nda\nq")
    assert (one.correct, one.steps, one.feedback) == (
        False,
        (True, False, True, False),
        "P!2d>t,t<d;",
    )


def test_the_goal_has_to_hold_at_the_end() -> None:
    taken_away = KITCHEN.grade(WASH, "g2\ntb\ng5\nwb\ng3\ndb\ntb\nq")
    assert (taken_away.correct, taken_away.steps, taken_away.feedback) == (
        False,
        (True, True, False),
        "W!3d>d,d<d;",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "g9",
        "g",
        "tx",
        "ws",
        "G2",
        "g2 tb",
        "q ",
        "g2g3",
        "\u0665",
        "t" * 10_000,
        "dk",
        "wb",
        "ox",
    ],
)
def test_what_is_no_action_or_cannot_be_done_changes_nothing_and_costs_a_turn(wrong: str) -> None:
    turns = [wrong, "g2", "tb"]
    assert played(KITCHEN, WASH, turns) == ["!.", "2b.", "+."]
    ending = "\ng5\nwb\ng3\ndb\nq"
    assert KITCHEN.grade(WASH, "\n".join(turns) + ending).correct
    short = House(max_turns=12)
    assert short.grade(WASH, "\n".join([wrong] * 5 + turns[1:]) + ending).correct
    assert not short.grade(WASH, "\n".join([wrong] * 7 + turns[1:]) + ending).correct


def test_the_turn_limit_ends_the_episode_wherever_it_stands() -> None:
    waiting = ["g1"] * 15
    assert KITCHEN.reply(WASH, waiting) is not None
    assert KITCHEN.reply(WASH, [*waiting, "g1"]) is None
    done = "g2\ntb\ng5\nwb\ng3\ndb"
    at_the_limit = KITCHEN.grade(WASH, "g1\n" * 10 + done)
    assert (at_the_limit.correct, at_the_limit.strict, at_the_limit.well_formed) == (
        True,
        False,
        False,
    )
    assert not KITCHEN.grade(WASH, "g1\n" * 11 + done).correct


def test_nothing_counts_that_is_said_once_the_episode_is_over() -> None:
    assert not KITCHEN.grade(WASH, "q\ng2\ntb\ng5\nwb\ng3\ndb\nq").correct
    grade = KITCHEN.grade(WASH, "g2\ntb\ng5\nwb\ng3\ndb\nq\nq")
    assert (grade.correct, grade.well_formed) == (True, False)


def test_so_many_invalid_actions_end_the_episode_where_the_rule_says_so() -> None:
    strict = House(most_invalid=2)
    assert played(strict, WASH, ["wb", "g2", "junk"]) == ["!.", "2b.", None]
    assert not strict.grade(WASH, "wb\njunk\ng2\ntb\ng5\nwb\ng3\ndb\nq").correct
    assert strict.grade(WASH, "wb\ng2\ntb\ng5\nwb\ng3\ndb\nq").correct


def test_a_lesson_where_nothing_or_no_action_stood_in_the_place() -> None:
    assert KITCHEN.lesson(WASH, "g2\ng3") == "W!1.>t,t<q;"
    assert KITCHEN.lesson(WASH, "g2\nplease") == "W!1!>t,t<q;"
    assert KITCHEN.lesson(WASH, "g2\ntb\nq") == "W!2q>w,w<q;"
    assert KITCHEN.lesson(WASH, "g2\ntb\ng5\nwb\ng3\ndb\nq") == ""
    assert KITCHEN.skill(WASH, "g2\ng3") == ""


def test_what_the_shortcuts_teach() -> None:
    assert [shortcut_lesson(category) for category in RECIPES] == [
        "O!1t>o,o<t;",
        "L!1o>k,k<o;",
        "W!2d>w,w<d;",
        "P!2d>t,t<d;",
    ]
    assert all(
        set(lesson_line(c, i + 1, ".")) <= set(compact.ALPHABET)
        for c, recipe in RECIPES.items()
        for i in range(len(recipe))
    )


@pytest.mark.parametrize("category", RECIPES)
@pytest.mark.parametrize("kind", [House, HouseInWords])
def test_the_oracle_solves_every_category_within_the_limit(
    category: str, kind: type[House] | type[HouseInWords]
) -> None:
    environment = kind(max_turns=12, most_invalid=1, categories=category)
    lengths = set()
    for index in range(150):
        asked = environment.problem("train", index)
        turns = environment.oracle(asked).split("\n")
        lengths.add(len(turns))
        answers = played(environment, asked, turns)
        assert answers[-1] is None and None not in answers[:-1]
        grade = environment.grade(asked, "\n".join(turns))
        assert grade.strict and grade.well_formed and grade.strategy == "recipe"
        assert asked.facts["category"] == category and asked.level == len(RECIPES[category])
    assert min(lengths) >= 5


def test_every_prompt_and_answer_is_in_the_alphabet_and_shows_no_hidden_place() -> None:
    for index in range(200):
        asked = KITCHEN.problem("heldout", index)
        world = world_of(asked.facts)
        assert (
            asked.prompt
            == f"{world.category}{world.wanted}{world.room}:{compact.tell(State(world).look())}"
        )
        said = (
            asked.prompt
            + "".join(str(a) for a in played(KITCHEN, asked, KITCHEN.oracle(asked).split("\n")))
            + KITCHEN.oracle(asked)
        )
        assert set(said.replace("None", "").replace("\n", "")) <= set(compact.ALPHABET)
        assert not set(world.wanted) & set(State(world).look().seen)


def test_worlds_that_look_alike_at_first_are_different_problems() -> None:
    asked = [KITCHEN.problem("train", index) for index in range(3000)]
    assert len({p.prompt for p in asked}) < len({p.id for p in asked})
    by_id = {p.id: p.facts for p in asked}
    assert all(by_id[p.id] == p.facts for p in asked)


def test_splits_share_no_world() -> None:
    splits = {
        split: {str(sorted(KITCHEN.problem(split, i).facts.items())) for i in range(700)}
        for split in compact.SPLITS
    }
    assert sum(map(len, splits.values())) == len(set.union(*splits.values()))


@pytest.mark.parametrize(
    ("block", "shown"), [("skill", "W=twd;|"), ("lesson", "W!2d>w,w<d;|"), ("wrong", "W=td;|")]
)  # fmt: skip
def test_a_block_stands_before_the_prompt_and_changes_nothing_else(
    block: compact.Block, shown: str
) -> None:
    plain, blocked = (
        House(categories="W").problem("heldout", 3),
        House(categories="W", block=block).problem("heldout", 3),
    )
    assert blocked == replace(plain, prompt=shown + plain.prompt)


def test_another_categorys_skill_is_never_the_right_one() -> None:
    seen = set()
    for index in range(60):
        asked = House(block="other").problem("heldout", index)
        entry, _, _ = asked.prompt.partition("|")
        assert entry[0] != asked.facts["category"] and entry[2:-1] == RECIPES[entry[0]]
        seen.add(entry[0])
    assert seen == set(RECIPES)


def test_what_is_told_in_words_is_the_same_world() -> None:
    spoken = HouseInWords()
    for index in range(60):
        plain, asked = KITCHEN.problem("heldout", index), spoken.problem("heldout", index)
        assert (asked.id, asked.facts, asked.level) == (plain.id, plain.facts, plain.level)
        short, long = KITCHEN.oracle(plain).split("\n"), spoken.oracle(asked).split("\n")
        assert [words.read(turn) for turn in long] == [compact.read(turn) for turn in short]
        for count in range(1, len(short)):
            told, said = KITCHEN.reply(plain, short[:count]), spoken.reply(asked, long[:count])
            assert said is not None and told is not None
            assert (told == "+.") == (said == "\nDone.\n")
        broken = "\n".join([*long[:-2], "done"])
        grade, expected = (
            spoken.grade(asked, broken),
            KITCHEN.grade(plain, "\n".join([*short[:-2], "q"])),
        )
        assert (grade.correct, grade.steps, grade.strategy) == (
            expected.correct,
            expected.steps,
            expected.strategy,
        )


def test_an_episode_in_words_by_hand() -> None:
    spoken = HouseInWords()
    asked = replace(WASH, environment="HouseInWords", answer="study")
    turns = [
        "> Go to the kitchen.",
        "take the ball",
        "go attic",
        "WASH BALL",
        "I will go to the study",
        "go to study",
        "drop ball",
        "Done.",
    ]
    assert played(spoken, asked, turns) == [
        "\nYou are in the kitchen. You see a ball.\n",
        "\nDone.\n",
        "\nYou are in the attic. You see a cup and a tap.\n",
        "\nDone.\n",
        "\nThat cannot be done.\n",
        "\nYou are in the study. You see a shut chest.\n",
        "\nDone.\n",
        None,
    ]
    grade = spoken.grade(asked, "\n".join(turns))
    assert (grade.correct, grade.strict, grade.well_formed, grade.answer) == (
        True,
        True,
        False,
        "study",
    )
    assert (
        grade.feedback
        == "To bring something washed: take what is wanted, wash it at the tap, drop it in the "
        "room."
    )
    assert spoken.lesson(asked, "go to kitchen\ntake ball\ngo to study\ndrop ball\ndone") == (
        "To bring something washed: at step 2 you tried to drop, where you should wash it at the "
        "tap first."
    )


@pytest.mark.parametrize(
    "turn",
    [
        "go to chest",
        "take tap",
        "open tap",
        "wash key",
        "take",
        "done now",
        "go to to kitchen",
        "take the the cup",
    ],
)
def test_words_that_are_no_action(turn: str) -> None:
    assert words.read(turn) is None


def test_every_action_in_words_is_read_as_it_was_written() -> None:
    every = (
        [Action("g", r) for r in "12345"]
        + [Action(v, t) for v in "td" for t in "abcek"]
        + [Action("w", t) for t in "abce"]
    )
    for action in [*every, Action("o", "x"), Action("q")]:
        assert words.read(words.write(action)) == action == compact.read(compact.write(action))


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_turns": 11},
        {"max_turns": 101},
        {"most_invalid": -1},
        {"categories": ""},
        {"categories": "OX"},
        {"categories": "OO"},
    ],
)
def test_rules_that_cannot_be_played_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ComponentError, match="cannot be played by these rules"):
        House(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ComponentError, match="cannot be played by these rules"):
        HouseInWords(**wrong)  # type: ignore[arg-type]


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(ComponentError, match="no such block"):
        House(block="both")  # type: ignore[arg-type]


@pytest.mark.parametrize("world", [House(), Reserved(House())], ids=["alone", "wrapped"])
def test_a_confidence_is_not_asked_of_an_environment_that_takes_turns(world: Environment) -> None:
    with pytest.raises(ComponentError, match="asks for one answer"):
        Confident(world)


def test_every_shortcut_lacks_a_step_of_its_recipe() -> None:
    assert all(len(SHORTCUTS[category]) < len(RECIPES[category]) for category in RECIPES)
