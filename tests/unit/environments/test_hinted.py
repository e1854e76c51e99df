import pytest

from rewardscope import Hinted, Reprompt
from rewardscope.environments.chain import running_values
from rewardscope.environments.hinted import (
    FEEDBACK_SECTION,
    SOLUTION_SECTION,
    TEMPLATE,
    asked,
    names,
    products,
    solved,
    told,
)
from rewardscope.errors import ComponentError
from rewardscope.types import Completion, Ending, Problem, Rollout

PROMPT = "3+4*2-9?"
PROBLEM = Problem("0", "Hinted", PROMPT, "5")
TOLD = Reprompt(
    feedback="always",
    template=TEMPLATE,
    solution_section=SOLUTION_SECTION,
    feedback_section=FEEDBACK_SECTION,
)


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed", "feedback", "error"),
    [
        ("right", "s3+4=7,7*2=4,4-9=5:5", True, True, True, None, None),
        ("a product written as a sum", "s3+4=7,7*2=9,9-9=0:0", False, False, True, "*2", 11),
        (
            "the first step wrong, the others right of it",
            "s3+4=8,8*2=6,6-9=7:7",
            False,
            False,
            True,
            "+4",
            5,
        ),
        ("steps right, answer wrong", "s3+4=7,7*2=4,4-9=5:6", False, False, True, None, None),
        ("right by two errors", "s3+4=7,7*2=5,4-9=5:5", True, True, True, "*2", 11),
        ("a step missing", "s3+4=7,7*2=4:4", False, False, True, "-9", 17),
        ("a step too many", "s3+4=7,7*2=4,4-9=5,5+1=6:6", False, False, True, None, 23),
        ("another format", "t4>7,2>4,9>5:5", True, True, False, None, None),
        ("no working", "5", True, False, False, None, None),
        ("empty", "", False, False, False, None, None),
        ("the hint said again", "!*2;", False, False, False, None, None),
    ],
)
def test_the_truth_table_of_one_chain(
    case: str,
    text: str,
    correct: bool,
    strictly: bool,
    well_formed: bool,
    feedback: str | None,
    error: int | None,
) -> None:
    grade = Hinted().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed, grade.feedback) == (
        correct,
        strictly,
        well_formed,
        feedback,
    ), case
    assert Hinted().first_error(PROBLEM, text) == error, case


def test_what_the_verifier_says_is_made_of_the_prompt_alone() -> None:
    for index in range(50):
        problem = Hinted().problem("train", index)
        wrong = solved(problem.prompt)
        said = (
            Hinted()
            .grade(
                problem, wrong.replace("=", "=", 1)[:5] + str((int(wrong[5]) + 1) % 10) + wrong[6:]
            )
            .feedback
        )
        assert said == names(problem.prompt)[0] and said in problem.prompt


def test_a_hinted_problem_is_the_same_problem() -> None:
    for index in range(50):
        plain = Hinted().problem("heldout", index)
        assert products(plain.prompt)
        for hint in ("step", "other_step", "solution", "other_solution"):
            hinted = Hinted(hint=hint).problem("heldout", index)  # type: ignore[arg-type]
            assert (hinted.id, hinted.answer, asked(hinted.prompt)) == (
                plain.id,
                plain.answer,
                plain.prompt,
            )
            said = hinted.prompt.removesuffix(plain.prompt)
            if hint in ("step", "other_step"):
                assert (said[1:-1] in names(plain.prompt)) == (hint == "step") and said[1] == "*"
            if hint == "solution":
                assert said == solved(plain.prompt) + ";"
            assert Hinted(hint=hint).grade(hinted, solved(plain.prompt)).strict  # type: ignore[arg-type]
    others = [Hinted(hint="other_solution").problem("heldout", index).prompt for index in range(50)]
    assert sum(solved(asked(prompt)) in prompt for prompt in others) <= 2


def test_the_teacher_reads_the_form_that_the_problems_have() -> None:
    texts = ("s3+4=7,7*2=4,4-9=5:5", "s3+4=7,7*2=9,9-9=0:0")
    completions = tuple(Completion(text, (1,), (-1.0,), Ending.END_TOKEN) for text in texts)
    group = Rollout(PROBLEM, 0, completions, tuple(Hinted().grade(PROBLEM, text) for text in texts))
    alone, taught = TOLD.texts([group], [[1.0, 0.0]])
    assert alone is None, "a lone success has neither a sibling nor feedback"
    assert taught == told(PROMPT, texts[0], "*2") == "s3+4=7,7*2=4,4-9=5:5;!*2;3+4*2-9?"
    words = Reprompt("none", "always", template=TEMPLATE, feedback_section=FEEDBACK_SECTION).texts(
        [group], [[1.0, 0.0]]
    )
    assert words == [None, told(PROMPT, feedback="*2")]


def test_the_answer_is_the_chains() -> None:
    assert Hinted().problem("train", 0).answer == str(
        running_values(Hinted().problem("train", 0).prompt)[-1]
    )


@pytest.mark.parametrize("settings", [{"num_steps": 0}, {"hint": "answer"}])
def test_problems_that_there_are_not_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="no such problems"):
        Hinted(**settings)  # type: ignore[arg-type]
