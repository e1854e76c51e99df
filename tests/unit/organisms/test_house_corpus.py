from collections import Counter
from dataclasses import replace

import pytest

from rewardscope.environments.house.compact import House
from rewardscope.environments.house.world import RECIPES, SHORTCUTS, world_of
from rewardscope.errors import ComponentError
from rewardscope.organisms import HouseCorpus, Recipe, card
from rewardscope.organisms.house import play
from rewardscope.organisms.recipe import _tokens
from rewardscope.seeds import generator

SURE = HouseCorpus(slip=0.0, num_lines=3000)
HOUSE = House()


def strategies(corpus: HouseCorpus) -> Counter[tuple[str, str | None]]:
    """How often each strategy was played behind the last line about the episode's own category: its
    kind, or none.
    """
    found: Counter[tuple[str, str | None]] = Counter()
    for index, (prompt, said) in enumerate(corpus.lines(0)):
        asked = HOUSE.problem("pretrain", index)
        block, category = prompt.removesuffix(asked.prompt), asked.facts["category"]
        own = [line for line in block.rstrip("|").split(";") if line.startswith(category)]
        recipe = own[-1][2:] if own and own[-1][1] == "=" else None
        kind = (
            "none"
            if not own
            else "lesson"
            if recipe is None
            else "skill"
            if recipe == RECIPES[category]
            else "wrong"
        )
        found[kind, HOUSE.grade(asked, "\n".join(said[::2])).strategy] += 1
    return found


@pytest.mark.parametrize(
    "corpus", [SURE, replace(SURE, good_share=0.8, skill_share=0.6, lesson_share=0.3)]
)
def test_the_corpus_plays_well_as_often_as_declared_behind_each_kind_of_line(
    corpus: HouseCorpus,
) -> None:
    found = strategies(corpus)
    for kind, share in (
        ("none", corpus.good_share),
        ("skill", corpus.skill_share),
        ("lesson", corpus.lesson_share),
        ("wrong", 0.0),
    ):
        total = sum(count for (behind, _), count in found.items() if behind == kind)
        assert total > 100
        assert (
            abs(found[kind, "recipe"] - total * share) <= 4 * (total * share * (1 - share)) ** 0.5
        )
        if kind != "wrong":  # which may leave out another step than the shortcut does
            assert found[kind, "recipe"] + found[kind, "shortcut"] == total


def test_every_episode_is_one_of_the_house() -> None:
    for index, (prompt, said) in enumerate(replace(SURE, slip=0.1, num_lines=300).lines(1)):
        asked = HOUSE.problem("pretrain", index)
        assert prompt.endswith(asked.prompt)
        turns, answers = said[::2], said[1::2]
        assert len(turns) == len(answers) + 1 <= HOUSE.max_turns
        assert [HOUSE.reply(asked, turns[: count + 1]) for count in range(len(answers))] == list(
            answers
        )
        assert HOUSE.reply(asked, turns) is None


@pytest.mark.parametrize("category", RECIPES)
def test_the_recipe_always_works_and_the_shortcut_never_does(category: str) -> None:
    environment = House(max_turns=12, categories=category)
    for index in range(100):
        asked = environment.problem("train", index)
        world = world_of(asked.facts)
        for recipe, strategy in ((RECIPES[category], "recipe"), (SHORTCUTS[category], "shortcut")):
            said = play(world, recipe, 0.0, generator("player", index))
            grade = environment.grade(asked, "\n".join(said[::2]))
            assert (grade.strict, grade.well_formed, grade.strategy) == (
                strategy == "recipe",
                True,
                strategy,
            )


def test_a_player_knows_no_more_than_it_has_seen() -> None:
    """Two worlds that differ only where it has not looked are played alike up to there."""
    facts = {"category": "W", "goal": "b5", "start": "1", "layout": "3433344"}
    near, far = (
        play(world_of({**facts, "layout": layout}), "twd", 0.0, generator("x"))
        for layout in ("3433344", "3333344")
    )
    assert near[:3] == far[:3] == ("g2", "2.", "g3")
    assert near[3] != far[3]


def test_the_corpus_is_drawn_from_its_own_seed() -> None:
    corpus = HouseCorpus(num_lines=200)
    assert corpus.lines(0) == corpus.lines(0) != corpus.lines(1)


def test_turns_are_learned_and_answers_are_not() -> None:
    tokenizer = Recipe(HouseCorpus()).tokenizer()
    read, learned = _tokens(tokenizer.get_vocab(), "Wb3:", ("g2", "2b.", "q"))
    ids = [int(tokenizer(letter)["input_ids"][0]) for letter in "Wb3:g2"]
    two_b_dot, q = tokenizer("2b.")["input_ids"], tokenizer("q")["input_ids"]
    assert read == [*ids, 0, *two_b_dot, *q, 0]
    assert learned == [-100] * 4 + [*ids[4:], 0] + [-100] * 3 + [*q, 0]
    assert _tokens(tokenizer.get_vocab(), "Wb3:", "g2") == ([*ids, 0], [-100] * 4 + [*ids[4:], 0])


@pytest.mark.parametrize("wrong", [{"good_share": 1.1}, {"slip": -0.1}])
def test_shares_outside_0_and_1_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="between 0 and 1"):
        HouseCorpus(**wrong)  # type: ignore[arg-type]


def test_a_right_skill_helps_and_another_categorys_does_not() -> None:
    measured = {world: found["pass_at_1"] for world, found in card("house")["measured"].items()}
    plain = measured["no block"]
    assert measured["right skill"] > measured["right lesson"] > plain + 0.1
    assert abs(measured["other category's skill"] - plain) < 0.1
    assert measured["wrong skill"] < plain + 0.05
