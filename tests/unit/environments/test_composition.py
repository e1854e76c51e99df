import re

import pytest

from rewardscope.environments.words.composition import environment as module
from rewardscope.environments.words.composition.environment import (
    Composition,
    find_string,
    told,
    trace,
)
from rewardscope.environments.words.composition.functions import (
    DEFINITIONS,
    FUNCTIONS,
    TRAINED,
    UNSEEN,
    join,
)
from rewardscope.errors import ComponentError, EnvironmentFault

RESULTS = {
    "func_0": "xednihda",
    "func_1": "dhndx",
    "func_2": "addehinx",
    "func_3": "dgklqgha",
    "func_4": "aaddhhiinnddeexx",
    "func_5": "hindexad",
    "func_6": "qzadhindex",
    "func_7": "adhindexmo",
    "func_8": "adhindexxednihda",
    "func_9": "1dh3nd2x",
    "func_10": "a-d-h-i-n-d-e-x",
    "func_11": "adhindex",
    "func_12": "xdhindea",
    "func_13": "xadhinde",
    "func_14": "ahne",
    "func_15": "aDhInDeX",
    "func_16": "adhindex",
    "func_17": "adhindexadhindex",
    "func_18": "zcghmcdw",
    "func_19": "adhinex",
    "func_20": "daihdnxe",
    "func_21": "[adhindex]",
    "func_22": "aiedhndx",
    "func_23": "adhindex8",
    "func_24": "ndexadhi",
}
"""What each function makes of "adhindex", worked out by hand."""


def test_every_function_does_what_was_worked_out_by_hand() -> None:
    assert {name: function("adhindex") for name, function in FUNCTIONS.items()} == RESULTS


@pytest.mark.parametrize(
    ("name", "given", "result"),
    [
        ("func_11", "aabbba", "aba"),
        ("func_16", "abc", "ab"),
        ("func_12", "a", "a"),
        ("func_3", "xyz-A", "abc-A"),
    ],
)
def test_functions_at_their_edges(name: str, given: str, result: str) -> None:
    assert FUNCTIONS[name](given) == result


def test_strings_are_joined_behind_each_other_or_in_turn() -> None:
    assert join("+", "ab", "cde") == "abcde"
    assert join("interlace", "ab", "cde") == "acbde"
    assert join("interlace", "abcd", "x") == "axbcd"


def test_the_two_sets_of_functions_are_13_and_12_and_share_none() -> None:
    assert (len(TRAINED), len(UNSEEN), len(set(TRAINED) | set(UNSEEN))) == (13, 12, 25)


@pytest.mark.parametrize("name", [*FUNCTIONS, "interlace"])
def test_a_quoted_definition_is_the_function_that_runs(name: str) -> None:
    """Runs our own text, as a reader of the prompt would."""
    space: dict[str, object] = {}
    exec(DEFINITIONS[name], space)
    quoted = space[name]
    assert callable(quoted)
    for given in ("adhindex", "aab", "z"):
        if name == "interlace":
            assert quoted(given, "pq") == join(name, given, "pq")
        else:
            assert quoted(given) == FUNCTIONS[name](given)
    assert "type: ignore" not in DEFINITIONS[name]


def test_a_trace_goes_from_the_inside_out() -> None:
    node = ("func_0", ("+", ("func_4", "x"), "'mn'"))
    assert told(node) == "func_0(func_4(x) + 'mn')"
    assert told(node, "ab") == "func_0(func_4('ab') + 'mn')"
    assert trace(node, "ab") == [
        ('func_4("ab")', "aabb"),
        ('"aabb" + "mn"', "aabbmn"),
        ('func_0("aabbmn")', "nmbbaa"),
    ]


def test_a_value_that_grows_too_long_ends_the_trace() -> None:
    assert trace(("func_17", ("func_17", ("func_17", "x"))), "abcdefghij") is None


@pytest.mark.parametrize(
    ("split", "allowed"), [("train", TRAINED), ("heldout", TRAINED), ("unseen", UNSEEN)]
)
def test_a_split_uses_its_own_functions_alone(split: str, allowed: tuple[str, ...]) -> None:
    environment = Composition(max_level=4)
    used = {
        name
        for index in range(300)
        for name in re.findall(r"func_\d+", environment.problem(split, index).facts["composition"])
    }
    assert used == set(allowed)


def test_no_composition_of_training_is_met_again_with_another_input() -> None:
    environment = Composition(min_level=2, max_level=3)
    train = {environment.problem("train", index).facts["composition"] for index in range(1500)}
    assert not train & {
        environment.problem("heldout", index).facts["composition"] for index in range(500)
    }


def test_at_level_one_functions_are_shared_and_what_they_are_given_is_not() -> None:
    environment = Composition(1, 1, literal_leaf=0.0, join_share=0.0)
    train = {environment.problem("train", index).facts["composition"] for index in range(200)}
    assert len(train) == 13
    given = [
        {
            (p.facts["composition"], p.facts["input"])
            for p in (environment.problem(s, i) for i in range(300))
        }
        for s in ("train", "heldout")
    ]
    assert not given[0] & given[1]


def test_the_dials_do_what_they_say() -> None:
    def share(pattern: str, environment: Composition) -> float:
        texts = [environment.problem("train", index).facts["composition"] for index in range(300)]
        return sum(bool(re.search(pattern, text)) for text in texts) / len(texts)

    assert share(r"'", Composition(2, 2, literal_leaf=0.0)) == 0
    assert share(r"\bx\b", Composition(2, 2, literal_leaf=1.0)) == 0
    assert share(r"\+|interlace", Composition(2, 2, join_share=0.0)) == 0
    assert (
        0.25 < share(r"\+|interlace", Composition(2, 2, join_share=0.2)) < 0.5
    )  # 1 - 0.8 ** 2 = 0.36, more below a join


def test_without_definitions_the_prompt_says_nothing_of_what_functions_do() -> None:
    with_them, without = Composition(), Composition(definitions=False)
    for index in range(30):
        long, short = with_them.problem("train", index), without.problem("train", index)
        assert long.id == short.id
        assert long.answer == short.answer
        assert short.prompt.count("def ") == 1
        assert long.prompt.count("def ") > 1


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly"),
    [
        ("right", "<answer>{}</answer>", True, True),
        ("right, in quotes", '<answer>"{}"</answer>', True, False),
        ("right in JSON", '{{"output": "{}"}}', True, False),
        ("right after working", 'func_0("x") is "x", so main returns "{}".', True, False),
        ("right at the end", "The answer is {}.", True, False),
        ("right but cut off", "<answer>{}", True, False),
        ("right, then wrong", "<answer>{}</answer><answer>zz</answer>", False, False),
        ("wrong", "<answer>{}x</answer>", False, False),
        ("empty", "", False, False),
        ("empty tags", "<answer></answer>", False, False),
    ],
)
def test_the_truth_table(case: str, text: str, correct: bool, strictly: bool) -> None:
    environment = Composition()
    for index in range(20):
        problem = environment.problem("train", index)
        grade = environment.grade(problem, text.format(problem.answer))
        assert (grade.correct, grade.strict) == (correct, strictly), case


def test_upper_and_lower_case_differ() -> None:
    environment = Composition(1, 1, join_share=0.0)
    problem = next(
        p for i in range(200) if (p := environment.problem("unseen", i)).answer != p.answer.lower()
    )
    assert environment.grade(problem, f"<answer>{problem.answer.lower()}</answer>").correct is False


def test_feedback_is_every_value_on_the_way() -> None:
    environment = Composition(3, 3)
    problem = environment.problem("train", 0)
    assert str(environment.grade(problem, "").feedback).endswith(f'is "{problem.answer}"')


def test_the_last_word_is_taken_where_nothing_else_is_said() -> None:
    assert find_string("first abc then\nfinally cba") == "cba"
    assert find_string(" \n") is None


def test_a_split_that_cannot_be_filled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 0)
    with pytest.raises(EnvironmentFault, match="10000 draws"):
        Composition().problem("train", 0)


@pytest.mark.parametrize(
    "settings",
    [
        {"min_level": 0},
        {"max_level": 9},
        {"join_share": 0.9},
        {"literal_leaf": 2.0},
        {"answer_in": "box"},
    ],
)
def test_settings_that_make_no_problem_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="Composition cannot ask"):
        Composition(**settings)  # type: ignore[arg-type]
