"""What Clinic asks, and how it is worded."""

import ast
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rewardscope
from rewardscope import Clinic
from rewardscope.environments.words.clinic.environment import HELD_OUT, KNOWN, SPLITS, draw_case
from rewardscope.environments.words.clinic.findings import MEASURED, PRESSURES, TOLD, Choice, Flag
from rewardscope.environments.words.clinic.note import (
    BESIDE_THE_POINT,
    OPENINGS,
    PRONOUNS,
    QUESTIONS,
    write,
)
from rewardscope.environments.words.clinic.table import CALCULATORS
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Problem

EVERY = pytest.mark.parametrize("name", CALCULATORS)
ALL = tuple(CALCULATORS)


def problems(environment: Clinic, split: str, count: int) -> Iterator[Problem]:
    return (environment.problem(split, index) for index in range(count))


def both(sentence: str) -> list[str]:
    """The sentence as it is said of a woman and of a man."""
    found = []
    for words in PRONOUNS.values():
        told = sentence
        for token, word in words.items():
            told = told.replace(token, word)
        found.append(told)
    return found


def test_the_settings_that_cannot_be_asked_are_refused() -> None:
    for settings, match in (
        ({"calculators": ("curb56",)}, "curb65"),
        ({"calculators": ()}, "none"),
        ({"calculators": ("bmi", "bmi")}, "each once"),
        ({"distractors": 9}, "distractors=9"),
        ({"distractors": -1}, "distractors=-1"),
        ({"answer_in": "box"}, "tags, whole"),
        ({"working": True, "answer_in": "whole"}, "no room for working"),
    ):
        with pytest.raises(ComponentError, match=match):
            Clinic(**settings)  # type: ignore[arg-type]


def test_with_nothing_left_to_hold_out_the_split_is_refused() -> None:
    with pytest.raises(EnvironmentFault, match="20 calculators"):
        Clinic(ALL).problem("heldout_calculators", 0)


def test_held_out_calculators_are_met_in_no_other_split() -> None:
    met = {
        split: {p.facts["calculator"] for p in problems(Clinic(), split, 400)} for split in SPLITS
    }
    assert met["train"] == met["heldout"] == met["heldout_phrasings"] == set(KNOWN)
    assert met["heldout_calculators"] == set(HELD_OUT) == set(CALCULATORS) - set(KNOWN)
    assert Clinic(("bmi",)).problem("heldout_calculators", 0).facts["calculator"] != "bmi"


@pytest.mark.parametrize("name", ["glasgow", "qsofa"])
def test_a_case_belongs_to_one_split_however_it_is_told(name: str) -> None:
    """The coma scale has 120 cases and a case is its three parts; those of qSOFA are the numbers in
    the note.
    """

    def case(problem: Problem) -> Any:
        return (
            problem.facts["parts"]
            if name == "glasgow"
            else tuple(sorted(re.findall(r"[0-9/]+ (?:mmHg|points|breaths)", problem.prompt)))
        )

    environment = Clinic((name,), distractors=0)
    met = {
        split: {case(p) for p in problems(environment, split, 2500)}
        for split in ("train", "heldout", "heldout_phrasings")
    }
    assert not met["train"] & (met["heldout"] | met["heldout_phrasings"])
    if name == "glasgow":
        assert met["heldout"] == met["heldout_phrasings"]
        assert len(met["train"]) + len(met["heldout"]) == 120
        assert 84 <= len(met["train"]) <= 108


@EVERY
def test_no_constant_answers_much(name: str) -> None:
    """The floor of any accuracy: 0.07 to 0.41 by calculator, with 5 % of tolerance for formulas."""
    environment = Clinic((name,), answer_in="whole")
    asked = list(problems(environment, "train", 300))
    answers = {problem.answer for problem in asked}
    assert (
        max(sum(environment.grade(p, answer).strict is True for p in asked) for answer in answers)
        < 0.45 * 300
    )
    assert len(answers) >= (4 if CALCULATORS[name].formula is None else 25)


def test_the_value_of_a_formula_is_no_number_that_its_inputs_are_given_in() -> None:
    """Total calcium is often within 5 % of corrected calcium, and QT of QTc: to copy one would be
    paid for nothing.
    """
    for name, calculator in CALCULATORS.items():
        if calculator.formula is None:
            continue
        environment = Clinic((name,), distractors=0, answer_in="whole")
        for problem in problems(environment, "train", 200):
            note = problem.prompt.partition("\n\n")[0]
            counted = (
                note
                if any(finding.name == "age" for finding in calculator.findings)
                else note.partition(".")[2]
            )
            numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", counted)
            assert not [
                number for number in numbers if environment.grade(problem, number).correct
            ], problem.prompt


def test_the_place_of_the_answer_and_the_working_change_the_instruction_only() -> None:
    for index in range(50):
        plain, whole, working = (
            environment.problem("train", index)
            for environment in (Clinic(), Clinic(answer_in="whole"), Clinic(working=True))
        )
        assert plain.id == whole.id == working.id
        assert (
            (plain.answer, plain.facts)
            == (whole.answer, whole.facts)
            == (working.answer, working.facts)
        )
        notes = {
            p.prompt.partition("\nGive ")[0].partition("\nAnswer ")[0].partition("\nFirst ")[0]
            for p in (plain, whole, working)
        }
        assert len(notes) == 1
        assert len({plain.prompt, whole.prompt, working.prompt}) == 3


def test_nothing_depends_on_the_process_or_its_hash_seed() -> None:
    code = (
        "import hashlib; from rewardscope import Clinic; e = Clinic(distractors=8, working=True)\n"
        f"p = [e.problem(s, i) for s in {tuple(SPLITS)!r} for i in range(50)]\n"
        "print(hashlib.sha256(repr([(q, e.grade(q, e.oracle(q))) for q in "
        "p]).encode()).hexdigest())"
    )
    environment = Clinic(distractors=8, working=True)
    here = [environment.problem(split, index) for split in SPLITS for index in range(50)]
    expected = hashlib.sha256(
        repr([(p, environment.grade(p, environment.oracle(p))) for p in here]).encode()
    ).hexdigest()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        found = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        ).stdout
        assert found.strip() == expected


def test_the_package_never_imports_the_copyleft_peer() -> None:
    for path in Path(rewardscope.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("clincalc")], path


@EVERY
@pytest.mark.parametrize("held_out", [False, True])
def test_the_note_says_what_is_there_and_nothing_that_is_not(name: str, held_out: bool) -> None:
    calculator = CALCULATORS[name]
    for number in range(60):
        random = generator("test", "note", name, number)
        case = draw_case(calculator, random)
        note = write(calculator, case, random, held_out, 8)
        assert not re.search(r"[{}]", note)
        assert "age" not in case or re.search(rf"\b{int(case['age'])}\b", note)
        assert "sex" not in case or re.search(
            {"female": r"\b(woman|girl)\b", "male": r"\b(man|boy)\b"}[case["sex"]], note
        )
        for finding in calculator.findings:
            if isinstance(finding, Flag):
                said = {True: finding.present, False: finding.absent}
            elif isinstance(finding, Choice) and finding.name != "sex":
                said = dict(finding.options)
            else:
                continue
            for value, wordings in said.items():
                found = [w for wording in wordings for w in both(wording) if f" {w}" in note]
                if value != case[finding.name]:
                    assert not found, (finding.name, note)
                elif not finding.silent(case):
                    assert len(set(found)) == 1, (finding.name, note)


@EVERY
def test_facts_that_do_not_count_change_no_answer_and_nothing_else_in_the_note(name: str) -> None:
    for index in range(30):
        bare, full = (
            Clinic((name,), distractors=count).problem("train", index) for count in (0, 8)
        )
        assert (bare.answer, bare.facts["parts"]) == (full.answer, full.facts["parts"])
        kept, sentences = (re.split(r"(?<=[.?]) |\n+", p.prompt) for p in (bare, full))
        assert [sentence for sentence in sentences if sentence in kept] == kept
        assert len(sentences) >= len(kept) + 8


@EVERY
def test_no_trap_is_a_finding(name: str) -> None:
    """Neither as it is worded nor, for a number, in its name: a second heart rate would have no
    right answer.
    """
    calculator = CALCULATORS[name]
    wordings: set[str] = set()
    for finding in calculator.findings:
        wordings |= {*finding.present, *finding.absent} if isinstance(finding, Flag) else set()
        wordings |= (
            {w for options in finding.options.values() for w in options}
            if isinstance(finding, Choice)
            else set()
        )
    assert len(calculator.traps) >= 3
    for trap in calculator.traps:
        if isinstance(trap, str):
            assert trap not in wordings
            assert trap not in BESIDE_THE_POINT
        else:
            assert trap.name not in {finding.name for finding in calculator.findings}


def test_every_wording_has_one_that_is_held_out() -> None:
    families = [MEASURED, TOLD, PRESSURES, OPENINGS, QUESTIONS]
    for calculator in CALCULATORS.values():
        for finding in calculator.findings:
            families += [finding.present, finding.absent] if isinstance(finding, Flag) else []
            families += (
                [w for w in finding.options.values() if w] if isinstance(finding, Choice) else []
            )
    for family in families:
        assert len(family) >= 3
        assert family[-1] not in family[:-1]


def held_out_and_known() -> tuple[list[str], list[str]]:
    """Whole sentences that only the held-out split may say, and those that it may not."""
    held_out, known = [], []
    for calculator in CALCULATORS.values():
        for finding in calculator.findings:
            families = [finding.present, finding.absent] if isinstance(finding, Flag) else []
            families = (
                [w for w in finding.options.values() if w]
                if isinstance(finding, Choice)
                else families
            )
            for *others, last in families:
                held_out += both(last)
                known += [told for other in others for told in both(other)]
    return (
        [f" {s}" for s in held_out]
        + [
            "The patient is a",
            "A measurement of",
            "is given as",
            "The cuff shows",
            "\n\nDetermine ",
        ],
        [f" {s}" for s in known]
        + [
            "is seen in the emergency",
            "comes to the clinic",
            "was admitted today",
            "was measured at",
            "\n\nWhat is ",
            "\n\nCalculate ",
        ],
    )


def test_held_out_phrasings_are_met_in_their_split_and_nowhere_else() -> None:
    held_out, known = held_out_and_known()
    texts = {
        split: [p.prompt for p in problems(Clinic(distractors=0), split, 600)] for split in SPLITS
    }
    for split in ("train", "heldout", "heldout_calculators"):
        assert not [(s, text) for text in texts[split] for s in held_out if s in text][:1]
        assert all(any(s in text for s in known) for text in texts[split])
    assert not [(s, text) for text in texts["heldout_phrasings"] for s in known if s in text][:1]
    assert all(any(s in text for s in held_out) for text in texts["heldout_phrasings"])


def test_articles_agree_with_ages() -> None:
    for split in SPLITS:
        for problem in problems(Clinic(ALL[:-1]), split, 1500):
            found = re.match(r"(An?) ([0-9]+)-year", problem.prompt)
            if found:
                assert (found[1] == "An") == (
                    found[2] in ("8", "11", "18") or found[2].startswith("8")
                ), problem.prompt
