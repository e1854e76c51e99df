"""Data sets as environments: what is taken, what is refused, and how splits stay apart."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rewardscope import Choice, Exact, MathAnswer, PythonTests, Questions
from rewardscope.conversation import messages_of
from rewardscope.environments import distinct, prove
from rewardscope.errors import ComponentError, EnvironmentFault

Row = Mapping[str, Any]
SUMS: list[Row] = [{"question": f"{a} + 1?", "answer": str(a + 1)} for a in range(60)]


def saved(folder: Path, rows: Sequence[Any], name: str = "rows.jsonl") -> str:
    path = folder / name
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows))
    return str(path)


def refused(questions: Questions) -> str:
    with pytest.raises(EnvironmentFault) as told:
        questions.size("train")
    return str(told.value)


def all_of(questions: Questions, split: str) -> list[tuple[str, str]]:
    problems = [questions.problem(split, n) for n in range(questions.size(split))]
    return [(problem.prompt, problem.answer) for problem in problems]


def test_one_file_and_no_setting_makes_an_environment(tmp_path: Path) -> None:
    questions = Questions(saved(tmp_path, SUMS))
    rows = all_of(questions, "train") + all_of(questions, "heldout")
    assert sorted(rows) == sorted((row["question"], row["answer"]) for row in SUMS)
    assert 5 <= questions.size("heldout") <= 20
    problem = questions.problem("heldout", 0)
    assert questions.problem("heldout", questions.size("heldout")) == problem
    assert questions.grade(problem, questions.oracle(problem)).strict is True
    assert questions.describe().startswith("prompt 'question', answer 'answer'; ")
    assert len(distinct(questions, "heldout", questions.size("heldout"))) == len(
        {problem.prompt for problem in [questions.problem("heldout", n) for n in range(200)]}
    )


@pytest.mark.parametrize("name", ["rows.json", "rows.csv", "rows.tsv", "rows.parquet"])
def test_other_formats_hold_the_same_questions(tmp_path: Path, name: str) -> None:
    lines = Questions(saved(tmp_path, SUMS))
    path, table = tmp_path / name, pl.DataFrame(SUMS)
    if name == "rows.json":
        path.write_text(json.dumps({"version": 1, "rows": list(SUMS)}))
    elif name == "rows.parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, separator="\t" if name == "rows.tsv" else ",")
    other = Questions(path)
    assert all_of(other, "train") == all_of(lines, "train")
    assert other.identity() == lines.identity()
    assert other.origin(other.problem("train", 0)).startswith(f"{path}, row ")


def test_cells_of_a_csv_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("question,answer\nWhich agent?,007\nPrice?,1.50\n")
    questions = Questions(tmp_path / "rows.csv", shares={"train": 1.0})
    assert {answer for _, answer in all_of(questions, "train")} == {"007", "1.50"}


def test_the_order_of_rows_and_the_words_around_them_move_no_question(tmp_path: Path) -> None:
    there, back = saved(tmp_path, SUMS), saved(tmp_path, SUMS[::-1], "back.jsonl")
    one, other = Questions(there), Questions(back)
    assert all_of(one, "heldout") == all_of(other, "heldout")
    assert one.identity() == other.identity()
    told = Questions(there, prompt="Work out {question}")
    ids = [one.problem("heldout", n).id for n in range(5)]
    assert [told.problem("heldout", n).id for n in range(5)] == ids
    assert told.problem("heldout", 0).prompt == "Work out " + one.problem("heldout", 0).prompt
    assert told.identity() != one.identity()


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    questions = Questions(saved(tmp_path, SUMS))
    before = questions.identity()
    saved(tmp_path, [{"question": "0 + 1?", "answer": "2"}, *SUMS[1:]])
    os.utime(tmp_path / "rows.jsonl", ns=(1, 1))
    assert questions.identity() != before


def test_the_columns_are_taken_by_their_names_or_refused(tmp_path: Path) -> None:
    rows = [{"problem": "1?", "solution": "It is 1.", "answer": "1"}]
    told = refused(Questions(saved(tmp_path, rows)))
    assert "several could" in told
    assert "answer='solution'" in told
    questions = Questions(saved(tmp_path, rows), answer="answer", shares={"train": 1.0})
    assert questions.problem("train", 0).facts == {"solution": "It is 1."}
    assert "none is called so" in refused(Questions(saved(tmp_path, [{"q": "1?", "answer": "1"}])))
    told = refused(Questions(saved(tmp_path, SUMS), prompt="text"))
    assert "no such column for the prompt" in told
    assert "question, answer" in told
    assert "shows the key" in refused(Questions(saved(tmp_path, SUMS), prompt="{question}{answer}"))
    assert "does not have" in refused(Questions(saved(tmp_path, SUMS), prompt="{question}{hint}"))


def test_a_template_leaves_other_braces_alone(tmp_path: Path) -> None:
    rows = [{"question": "x?", "options": ["red", "blue"], "answer": "B"}]
    questions = Questions(
        saved(tmp_path, rows),
        prompt="{question}\n{options}\nPut it in \\boxed{}, as {{letter}}, not \\frac{1}{2}.",
        grader=Choice(options="options"),
        shares={"train": 1.0},
    )
    problem = questions.problem("train", 0)
    assert problem.prompt == (
        "x?\nA. red\nB. blue\nPut it in \\boxed{}, as {letter}, not \\frac{1}{2}."
    )
    assert problem.answer == "B. blue"
    assert questions.oracle(problem) == "\\boxed{B}"


def test_a_column_names_the_split_and_heldout_finds_test(tmp_path: Path) -> None:
    rows = [{**row, "split": "test" if n % 3 else "train"} for n, row in enumerate(SUMS)]
    questions = Questions(saved(tmp_path, rows))
    assert (questions.size("train"), questions.size("test")) == (20, 40)
    assert questions.problem("heldout", 3) == questions.problem("test", 3)
    assert "split" not in questions.problem("test", 0).facts
    renamed = Questions(saved(tmp_path, rows), split_names={"test": "heldout"})
    assert renamed.splits == ("heldout", "train")
    assert renamed.problem("test", 3) == questions.problem("test", 3)
    with pytest.raises(EnvironmentFault, match=r"no such split.*other.*test, train"):
        questions.problem("other", 0)


def test_a_file_for_each_split(tmp_path: Path) -> None:
    train, test = saved(tmp_path, SUMS[:40], "a.jsonl"), saved(tmp_path, SUMS[40:], "b.jsonl")
    questions = Questions({"train": train, "heldout": test})
    assert (questions.size("train"), questions.size("heldout")) == (40, 20)
    assert questions.origin(questions.problem("heldout", 0)).startswith(f"{test}:")


def test_a_leak_and_a_contradiction_are_refused_with_their_lines(tmp_path: Path) -> None:
    leak = [{**SUMS[0], "split": "train"}, {**SUMS[1], "split": "test"}]
    told = refused(Questions(saved(tmp_path, [*leak, "", {**SUMS[0], "split": "test"}])))
    assert "in two splits" in told
    assert "rows.jsonl:1 (train)" in told
    assert "rows.jsonl:4 (test)" in told
    told = refused(Questions(saved(tmp_path, [*SUMS, {"question": "1  +\n1?", "answer": "3"}])))
    assert "has two answers" in told
    assert "rows.jsonl:2 and" in told
    assert "rows.jsonl:61" in told


def test_rows_that_say_the_same_are_counted_once(tmp_path: Path) -> None:
    questions = Questions(saved(tmp_path, [*SUMS, *SUMS[:7]]))
    assert questions.size("train") + questions.size("heldout") == 60
    assert questions.describe().endswith("7 rows said what another said")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"question": "1?", "answer": ', "not JSON"),
        ('["1?", "1"]', "not an object"),
        ('{"question": "1?", "answer": null}', "has no key"),
        ('{"question": "1?", "answer": NaN}', "has no key"),
        ('{"question": "1?"}', "has no key"),
        ('{"question": " ", "answer": "1"}', "has an empty question"),
        ('{"question": "\\u27e6user\\u27e7\\nhi", "answer": "1"}', "mark between"),
        ('{"question": "1?", "answer": "1", "level": "hard"}', "has no level"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    rows = [{**SUMS[0], "level": 1}, line]
    told = refused(Questions(saved(tmp_path, rows)))
    assert words in told
    assert "rows.jsonl:2" in told


def test_levels_and_categories(tmp_path: Path) -> None:
    rows = [{**row, "level": f"Level {n % 5}", "subject": "odd"} for n, row in enumerate(SUMS)]
    questions = Questions(saved(tmp_path, rows), categories="subject", examples=2)
    problem = questions.problem("train", 0)
    assert problem.level in range(5)
    assert questions.category(problem.prompt) == "odd"
    assert questions.category("something else") == "all"
    assert problem.facts["subject"] == "odd"


def test_a_key_is_taken_out_of_a_worked_solution(tmp_path: Path) -> None:
    rows = [{"question": "2 + 2?", "answer": "2 and 2 are 4\n#### 4"}]
    questions = Questions(saved(tmp_path, rows), key=r"####\s*(.+)", shares={"train": 1.0})
    assert questions.problem("train", 0).answer == "4"
    assert "has no key" in refused(Questions(saved(tmp_path, rows), key=r"\$(.+)"))
    with pytest.raises(ComponentError, match="one group"):
        Questions("x.jsonl", key="####")
    boxed = [{"question": "2 + 2?", "solution": "Hence \\boxed{4}."}]
    questions = Questions(saved(tmp_path, boxed), shares={"train": 1.0})
    assert questions.oracle(questions.problem("train", 0)) == "\\boxed{4}"


def test_examples_stand_in_front_as_text_and_are_asked_no_more(tmp_path: Path) -> None:
    questions = Questions(
        saved(tmp_path, SUMS), prompt="Q: {question}\nA:", examples=2, grader=Exact()
    )
    plain = Questions(saved(tmp_path, SUMS), prompt="Q: {question}\nA:", grader=Exact())
    first, second, third = (plain.problem("train", n) for n in range(3))
    shots = f"{first.prompt} {first.answer}\n\n{second.prompt} {second.answer}\n\n"
    assert questions.problem("train", 0).prompt == shots + third.prompt
    assert questions.problem("train", 0).id == third.id
    assert questions.size("train") == plain.size("train") - 2
    assert questions.size("heldout") == plain.size("heldout")
    assert questions.problem("heldout", 0).prompt.startswith(shots)


def test_a_system_prompt_makes_a_conversation_with_examples_as_turns(tmp_path: Path) -> None:
    questions = Questions(
        saved(tmp_path, SUMS), system="Use \\boxed{}.", examples=[("3 + 4?", "\\boxed{7}")]
    )
    problem = questions.problem("heldout", 0)
    assert messages_of(problem.prompt) == [
        {"role": "system", "content": "Use \\boxed{}."},
        {"role": "user", "content": "3 + 4?"},
        {"role": "assistant", "content": "\\boxed{7}"},
        {"role": "user", "content": Questions(saved(tmp_path, SUMS)).problem("heldout", 0).prompt},
    ]
    assert questions.grade(problem, f"\\boxed{{{problem.answer}}}").strict is True
    assert questions.grade(problem, f"<answer>{problem.answer}</answer>").strict is False
    assert questions.origin(problem).startswith(str(tmp_path))


def test_a_column_of_messages_is_a_conversation(tmp_path: Path) -> None:
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": f"{n}?"},
            ],
            "answer": str(n),
        }
        for n in range(9)
    ]
    questions = Questions(saved(tmp_path, rows), shares={"train": 1.0})
    messages = messages_of(questions.problem("train", 0).prompt)
    assert messages is not None
    assert [message["role"] for message in messages] == ["system", "user"]
    assert "system prompt of its own" in refused(Questions(saved(tmp_path, rows), system="Hello"))
    spoken = [
        {**rows[0], "messages": [*rows[0]["messages"], {"role": "assistant", "content": "0"}]}
    ]
    told = refused(Questions(saved(tmp_path, spoken)))
    assert "must end with a user" in told
    assert "rows.jsonl:1" in told
    tools = [{**rows[0], "messages": [{"role": "tool", "content": "0"}]}]
    assert "cannot be written as text" in refused(Questions(saved(tmp_path, tools)))


def test_programs_with_tests_of_their_row(tmp_path: Path) -> None:
    rows = [
        {
            "text": f"Write add_{n}(x), which adds {n}.",
            "code": f"def add_{n}(x):\n    return x + {n}",
            "test_list": [f"assert add_{n}(1) == {n + 1}"],
        }
        for n in range(3)
    ]
    questions = Questions(
        saved(tmp_path, rows),
        prompt="text",
        answer="code",
        grader=PythonTests(tests="test_list"),
        shares={"train": 1.0},
    )
    proof = prove(questions, "train")
    assert proof.problems == 3
    assert proof.warnings == ()


def shouts(prompt: str, completion: str, answer: str) -> bool:
    return completion.upper() == completion == answer


class Silent:
    def grade(self, prompt: str, completion: str, answer: str) -> bool:
        return True

    def oracle(self, answer: str) -> str:
        return answer


class Half:
    def grade(self, prompt: str, completion: str, answer: str) -> bool:
        return True


def test_graders_of_ones_own(tmp_path: Path) -> None:
    questions = Questions(saved(tmp_path, SUMS), grader=shouts)
    assert prove(questions, "train").problems == questions.size("train")
    with pytest.raises(EnvironmentFault, match="not a Grade"):
        Questions(saved(tmp_path, SUMS), grader=Silent()).grade(  # type: ignore[arg-type]
            questions.problem("train", 0), "4"
        )
    with pytest.raises(ComponentError, match="Half lacks oracle"):
        Questions(saved(tmp_path, SUMS), grader=Half())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shares": {"train": 0.5}}, "sum to 1"),
        ({"shares": {"train": 1.5, "heldout": -0.5}}, "above 0"),
        ({"examples": -1}, "0 or more"),
        ({"examples": ("one",)}, "pairs"),
        ({"grader": 3}, "not a function"),
        ({"key": "("}, "one group"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ComponentError, match=words):
        Questions("rows.jsonl", **settings)


def test_what_is_not_there_is_said_with_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = refused(Questions("rows.jsonl"))
    assert str(tmp_path / "rows.jsonl") in told
    assert "hub" in told
    saved(tmp_path, SUMS)
    assert Questions("rows.jsonl").size("train") > 40
    (tmp_path / "rows.txt").write_text("")
    assert "file ending is unknown" in refused(Questions("rows.txt"))
    (tmp_path / "empty.jsonl").write_text("\n")
    assert "has no rows" in refused(Questions("empty.jsonl"))
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert "pip install datasets" in refused(Questions("openai/gsm8k:main"))


def test_a_folder_that_datasets_saved(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    made = datasets.DatasetDict(
        {
            "train": datasets.Dataset.from_list([dict(row) for row in SUMS[:40]]),
            "test": datasets.Dataset.from_list([dict(row) for row in SUMS[40:]]),
        }
    )
    made.save_to_disk(str(tmp_path / "saved"))
    questions = Questions(tmp_path / "saved")
    assert (questions.size("train"), questions.size("heldout")) == (40, 20)
    assert "cannot load this name" in refused(Questions("nobody/nothing"))


def test_memory_of_lines_is_their_places(tmp_path: Path) -> None:
    rows = [{"question": f"{n}? " + "x" * 2000, "answer": "1"} for n in range(300)]
    questions = Questions(saved(tmp_path, rows))
    questions.size("train")
    index = questions._index
    (_, lines) = index.rows.parts[0]
    held = sum(sys.getsizeof(each) for each in vars(lines).values())
    held += sum(each.nbytes for each in (index.ids, *index.prompts, *index.order.values()))
    assert held < 100 * len(rows)


def test_the_proof_counts_what_cheap_completions_earn(tmp_path: Path) -> None:
    rows = [{"question": f"{n}?", "answer": "2" if n % 2 else str(n)} for n in range(100)]
    proof = prove(Questions(saved(tmp_path, rows), shares={"train": 1.0}), "train")
    earned = {each.cheat: each.correct for each in proof.earnings}
    assert earned["the most frequent answer"] == 51
    assert earned["empty"] == earned["nan"] == earned["all digits"] == earned["every option"] == 0
    assert proof.keys == 50
    (warning, *_) = [text for text in proof.warnings if "most frequent" in text]
    assert "51 of 100 problems, 51.0%; a guess among their 50 keys earns 2.0%" in warning
    assert json.loads(json.dumps(proof.record()))["warnings"] == list(proof.warnings)


def test_a_key_that_the_grader_cannot_read_is_named_with_its_line(tmp_path: Path) -> None:
    path = saved(tmp_path, [*SUMS, {"question": "why?", "answer": "?!"}])
    with pytest.raises(EnvironmentFault, match=r"its own oracle.*rows.jsonl:61"):
        prove(Questions(path, grader=MathAnswer(), shares={"train": 1.0}), "train")
