import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardscope.environments.chain import Chain
from rewardscope.environments.confident import ASK, Confident
from rewardscope.environments.words.gym import Gym
from rewardscope.environments.words.sums import Sums
from rewardscope.errors import ComponentError
from rewardscope.protocols import Environment
from rewardscope.rewards.calibrated import Calibrated
from rewardscope.seeds import generator
from rewardscope.types import Completion, Ending, Rollout

ASKED = Confident()
PROBLEM = ASKED.problem("train", 0)
DIGIT = Confident(Chain(), ask="", opening="<", closing=">", scale=9)
PIECES = (
    *(
        "<confidence>",
        "</confidence>",
        "<confidence",
        "0.7",
        "1",
        "1e9",
        "nan",
        "inf",
        "-",
        "%",
        ".",
        "7",
        "\n",
        " " * 50,
        "seven",
        "\x00",
    ),
    *(
        "<answer>",
        "</answer>",
        "minus",
        "\u0667",
        "\ud800",
        "<confidence>0.",
        "<",
        ">",
        "s3+4=7:",
        "boxed{",
    ),
)


def confidence(text: str, environment: Confident = ASKED) -> float | None:
    return environment.grade(environment.problem("train", 0), text).confidence


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("0.8", 0.8),
        ("0", 0.0),
        ("1", 1.0),
        ("1.0", 1.0),
        (".5", 0.5),
        ("0.", 0.0),
        (" 0.25\n", 0.25),
        ("80%", 0.8),
        ("100%", 1.0),
        ("0.8333333333333334", 0.8333333333333334),
        ("", None),
        (" ", None),
        ("nan", None),
        ("inf", None),
        ("-0.1", None),
        ("1.01", None),
        ("80", None),
        ("101%", None),
        ("1e-1", None),
        ("0,8", None),
        ("high", None),
        ("0.8 or so", None),
        (".", None),
        ("%", None),
        ("\u0660.\u0668", None),
        ("0.8 0.9", None),
        ("9" * 400, None),
    ],
)
def test_a_confidence_is_a_number_from_0_to_1_or_a_percentage_and_anything_else_is_none(
    stated: str, found: float | None
) -> None:
    assert confidence(f"10<confidence>{stated}</confidence>") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10", None),
        ("10 0.8", None),
        ("10<confidence>0.8", None),
        ("10 0.8</confidence>", None),
        ("10<Confidence>1</Confidence>", None),
        ("10<confidence>0.2</confidence><confidence>0.9</confidence>", 0.9),
        ("10<confidence>0.2</confidence><confidence>0.9", None),
        ("10<confidence>0.2</confidence><confidence>no</confidence>", None),
        ("10<confidence><confidence>0.2</confidence>", None),
        ("<confidence>0.3</confidence> 10", 0.3),
    ],
)
def test_the_last_statement_counts_if_it_is_closed(text: str, found: float | None) -> None:
    assert confidence(text) == found


def test_a_stated_number_is_never_taken_for_the_answer() -> None:
    assert PROBLEM.answer == "10"
    for text in (
        "10 <confidence>1</confidence>",
        "<confidence>0.9</confidence>10",
        "10<confidence>0.9",
        "10 <confidence> 1",
    ):
        assert ASKED.grade(PROBLEM, text).correct is True, text
    assert ASKED.grade(PROBLEM, "<confidence>10</confidence>").answer is None


def test_the_form_asked_for_is_the_bases_and_one_statement_at_the_end() -> None:
    formed = {
        "10<confidence>0.9</confidence>": True,
        "10 \n<confidence>0.9</confidence>\n": True,
        "10": False,
        "10<confidence>9</confidence>": False,
        "<confidence>0.9</confidence>10": False,
        "10<confidence>0.9</confidence><confidence>0.9</confidence>": False,
        "it is 10<confidence>0.9</confidence>": False,
    }
    assert {text: ASKED.grade(PROBLEM, text).well_formed for text in formed} == formed


def test_the_prompt_asks_and_everything_else_is_the_bases() -> None:
    plain = Sums().problem("train", 0)
    assert (PROBLEM.prompt, PROBLEM.id, PROBLEM.answer) == (
        plain.prompt + ASK,
        plain.id,
        plain.answer,
    )
    assert Confident(Chain()).strategies == Chain.strategies


@pytest.mark.parametrize("base", [Sums(), Chain(), Gym("chain_sum")], ids=str)
@given(
    text=st.text(st.sampled_from("0123456789+-=:,>sgt .\n<>/abc"), max_size=30),
    stated=st.sampled_from(["0.3", "1", "no", ""]),
)
def test_stating_a_confidence_changes_no_verdict(base: Environment, text: str, stated: str) -> None:
    asked = Confident(base)
    for plain, whole in ((text, asked), (base.oracle(base.problem("train", 5)), asked)):
        problem = whole.problem("train", 5)
        said = whole.grade(problem, f"{plain}<confidence>{stated}</confidence>")
        silent, alone = whole.grade(problem, plain), base.grade(base.problem("train", 5), plain)
        for name in ("correct", "strict", "answer", "strategy", "steps", "feedback"):
            assert getattr(said, name) == getattr(silent, name) == getattr(alone, name), name


def test_a_model_of_one_digit_can_state_it_too() -> None:
    problem = DIGIT.problem("train", 0)
    text = Chain().oracle(problem)
    grade = DIGIT.grade(problem, f"{text}<6>")
    assert (grade.correct, grade.strict, grade.well_formed, grade.confidence) == (
        True,
        True,
        True,
        pytest.approx(6 / 9),
    )
    assert DIGIT.grade(problem, f"{text}<10>").confidence is None
    assert problem.prompt == Chain().problem("train", 0).prompt


def test_ten_thousand_junk_completions_are_graded_and_state_nothing_impossible() -> None:
    random = generator("confident", "junk")
    stated = 0
    for _ in range(10_000):
        text = "".join(
            PIECES[i] for i in random.integers(len(PIECES), size=int(random.integers(1, 12)))
        )
        grade = ASKED.grade(PROBLEM, text)
        assert grade.confidence is None or 0 <= grade.confidence <= 1
        stated += grade.confidence is not None
    assert 10 < stated < 5_000, "some of the junk does state one"


@pytest.mark.parametrize(
    "junk",
    [
        "<confidence>" * 10_000,
        "<confidence>" + " " * 100_000,
        "<confidence>" + "9" * 100_000 + "</confidence>",
    ],
)
def test_long_junk_is_read_in_time(junk: str) -> None:
    began = time.monotonic()
    assert confidence(junk) is None
    assert time.monotonic() - began < 2


def test_a_calibrated_reward_pays_what_was_stated() -> None:
    completions = tuple(
        Completion(text, (1,), (-1.0,), Ending.END_TOKEN)
        for text in ("10<confidence>0.8</confidence>", "9<confidence>0.8</confidence>", "10")
    )
    group = Rollout(
        PROBLEM,
        0,
        completions,
        tuple(ASKED.grade(PROBLEM, completion.text) for completion in completions),
    )
    assert Calibrated()(group, ()).values == (pytest.approx(0.96), pytest.approx(-0.64), -1.0)


@pytest.mark.parametrize(
    "settings", [{"opening": ""}, {"closing": ""}, {"scale": 0.0}, {"scale": float("nan")}]
)
def test_settings_that_find_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="cannot find a confidence"):
        Confident(**settings)  # type: ignore[arg-type]


def test_asking_twice_is_refused() -> None:
    with pytest.raises(ComponentError, match="already asks for a confidence"):
        Confident(Confident())
