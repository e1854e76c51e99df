"""Every listing of docs/datasets.md, run on a small file in the format it is for."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from listings import listings
from rewardscope import Questions
from rewardscope.conversation import messages_of
from rewardscope.environments import prove
from rewardscope.types import Completion, Ending, Rollout

LISTINGS = listings("datasets.md")
GSM8K = [
    {
        "question": f"Natalia sold {n} clips in April, and twice as many in May. How many in all?",
        "answer": f"In May she sold {n}*2 = <<{n}*2={2 * n}>>{2 * n}.\n#### {3 * n}",
    }
    for n in range(400, 420)
]
MATH = [
    {
        "problem": f"What is $\\frac{{{n}}}{{{n + 1}}}$ of ${n + 1}$ in simplest form?",
        "solution": f"It is $\\boxed{{{n}}}$.",
        "answer": f"{n}",
        "subject": "Prealgebra",
        "level": 1 + n % 5,
        "unique_id": f"test/prealgebra/{n}.json",
    }
    for n in range(11)
]
AIME = [
    {"ID": f"2024-I-{n}", "Problem": f"Find ${n}+1$.", "Solution": "Add.", "Answer": n + 1}
    for n in range(15)
]


def write(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a listing defines, where its files are in the folder it runs in."""
    write(tmp_path / "gsm8k" / "train.jsonl", GSM8K[:12])
    write(tmp_path / "gsm8k" / "test.jsonl", GSM8K[12:])
    write(tmp_path / "math500.jsonl", MATH)
    write(tmp_path / "aime2024.jsonl", AIME)
    write(tmp_path / "problems.jsonl", [{"prompt": f"{n}?", "answer": str(n)} for n in range(30)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(listing: str) -> dict[str, Any]:
        (tmp_path / f"listing_{listing.replace('-', '_')}.py").write_text(LISTINGS[listing])
        return vars(importlib.import_module(f"listing_{listing.replace('-', '_')}"))

    return run


def test_no_listing_is_left_out() -> None:
    here = {"function", "rewards", "gsm8k", "gsm8k-base", "math500", "aime"}
    assert set(LISTINGS) == here | {"study"}  # the study is run in e2e/test_own_data.py


def test_gsm8k_for_chat_models(names: Any) -> None:
    chat = names("gsm8k")["chat"]
    assert (chat.size("train"), chat.size("heldout")) == (12, 8)
    problem = chat.problem("heldout", 0)
    messages = messages_of(problem.prompt)
    assert messages is not None
    assert messages[0]["content"].endswith("put your final answer within \\boxed{}.")
    assert messages[1]["content"].startswith("Natalia sold")
    assert chat.grade(problem, f"So \\boxed{{{problem.answer}}}").strict is True
    assert chat.grade(problem, f"#### {problem.answer}").strict is False
    assert prove(chat, "heldout").problems == 8


def test_gsm8k_for_base_models(names: Any) -> None:
    base = names("gsm8k-base")["base"]
    assert (base.size("train"), base.size("heldout")) == (10, 8)
    problem = base.problem("heldout", 0)
    first, second, asked = problem.prompt.split("\n\n")
    assert first.startswith("Question: Natalia")
    assert "\nAnswer: In May she sold" in first
    assert "\n#### 1" in second
    assert asked.endswith("\nAnswer:")
    grade = base.grade(problem, f" In all.\n#### {problem.answer}\n\nQuestion:")
    assert (grade.correct, grade.strict) == (True, True)
    assert prove(base, "heldout").problems == 8


def test_math500(names: Any) -> None:
    math500 = names("math500")["math500"]
    assert math500.splits == ("heldout",)
    problem = math500.problem("heldout", 0)
    assert problem.prompt.endswith(
        "\nPlease reason step by step, and put your final answer within \\boxed{}."
    )
    assert math500.category(problem.prompt) == "Prealgebra"
    assert problem.level in range(1, 6)
    assert problem.facts["unique_id"].startswith("test/prealgebra/")
    assert prove(math500, "heldout").problems == 11


def test_aime(names: Any) -> None:
    found = names("aime")
    problem = found["aime"].problem("heldout", 0)
    assert found["evaluation"].asks(None) is found["aime"]
    assert problem.facts["ID"].startswith("2024-I-")
    assert found["aime"].grade(problem, f"\\boxed{{{int(problem.answer):03}}}").strict is True


def test_a_function_of_ones_own(names: Any) -> None:
    problems = names("function")["problems"]
    problem = problems.problem("train", 0)
    assert problems.grade(problem, problem.answer).correct is True
    grade = problems.grade(problem, "x" * len(problem.answer))
    assert (grade.correct, grade.proxy) == (False, 0.5)


def test_rewards(names: Any) -> None:
    found = names("rewards")
    problems = names("function")["problems"]
    problem = problems.problem("train", 0)
    texts = (problem.answer, "x" * 300)
    group = Rollout(
        problem,
        0,
        tuple(Completion(text, (1,), (0.0,), Ending.END_TOKEN) for text in texts),
        tuple(problems.grade(problem, text) for text in texts),
    )
    paid = found["right_and_short_paid"](group, ("a",)).values
    assert paid == (1 - 0.001 * len(problem.answer), -0.3)
    assert found["brief_paid"](group, ("a",)).values == (1.0, None)


def is_one_of(prompt: str, completion: str, answer: str) -> bool:
    """Whether the completion names words that the letters make, and no others."""
    said = completion.replace('"', " ").strip("[] ").replace(",", " ").split()
    return bool(said) and set(said) <= set(json.loads(answer))


def test_a_data_set_that_a_package_ships() -> None:
    """4,000 lines of anagrams that come with reasoning-gym."""
    package = pytest.importorskip("reasoning_gym")
    questions = Questions(
        Path(package.__file__).parent / "data" / "anagrams.jsonl",
        prompt="Which words have these letters? {letter_counts}",
        answer="words",
        grader=is_one_of,
    )
    lines = (Path(package.__file__).parent / "data" / "anagrams.jsonl").read_text().splitlines()
    assert questions.size("train") + questions.size("heldout") == len(set(lines))
    assert 0.15 < questions.size("heldout") / len(lines) < 0.25
    proof = prove(questions, "heldout")
    assert proof.problems == 500
    assert proof.warnings == ()
    problem = questions.problem("heldout", 0)
    (first, *_) = json.loads(problem.answer)
    assert questions.grade(problem, first).correct is True
    assert questions.grade(problem, first[::-1] + "x").correct is False
