"""Patients worked by hand from the definitions in the papers, and what each finding adds on either
side of its threshold.
"""

import math
import re
from typing import Any

import pytest

from rewardscope.environments.words.clinic.environment import draw_case
from rewardscope.environments.words.clinic.note import write
from rewardscope.environments.words.clinic.table import CALCULATORS
from rewardscope.seeds import generator

NOTHING: dict[str, dict[str, Any]] = {
    "curb65": {
        "confusion": False,
        "urea": 7.0,
        "respiratory rate": 29,
        "systolic": 90,
        "diastolic": 61,
        "age": 64,
    },
    "qsofa": {"respiratory rate": 21, "systolic": 101, "diastolic": 70, "coma scale": 15},
    "centor": {
        "age": 15,
        "temperature": 38.0,
        "cough": True,
        "tender nodes": False,
        "tonsils": False,
    },
    "wells_pe": {
        "signs of thrombosis": False,
        "most likely": False,
        "heart rate": 100,
        "immobilisation or surgery": False,
        "previous thrombosis": False,
        "haemoptysis": False,
        "malignancy": False,
    },
    "wells_dvt": {
        "malignancy": False,
        "paralysis or plaster": False,
        "bed rest or surgery": False,
        "tenderness": False,
        "whole leg": False,
        "calf": 2.9,
        "pitting oedema": False,
        "collateral veins": False,
        "previous thrombosis": False,
        "alternative": False,
    },
    "perc": {
        "age": 49,
        "heart rate": 99,
        "oxygen saturation": 95,
        "leg swelling": False,
        "haemoptysis": False,
        "surgery or trauma": False,
        "previous thrombosis": False,
        "oestrogen": False,
    },
    "has_bled": {
        "systolic": 160,
        "diastolic": 100,
        "creatinine": 199,
        "liver disease": False,
        "stroke": False,
        "bleeding": False,
        "time in range": 60,
        "age": 65,
        "drugs": False,
        "alcohol": 7,
    },
    "cha2ds2_va": {
        "age": 64,
        "heart failure": False,
        "hypertension": False,
        "diabetes": False,
        "stroke": False,
        "vascular disease": False,
    },
    "glasgow": {"eye opening": "none", "verbal response": "none", "motor response": "none"},
    "charlson": {
        **dict.fromkeys(
            (
                "myocardial infarction",
                "heart failure",
                "peripheral vascular disease",
                "cerebrovascular disease",
            ),
            False,
        ),
        **dict.fromkeys(
            (
                "dementia",
                "chronic lung disease",
                "connective tissue disease",
                "peptic ulcer",
                "hemiplegia",
            ),
            False,
        ),
        **dict.fromkeys(("kidney disease", "leukaemia", "lymphoma", "AIDS"), False),
        **dict.fromkeys(("liver disease", "diabetes", "solid tumour"), "none"),
        "age": 49,
    },
    "abcd2": {
        "age": 59,
        "systolic": 139,
        "diastolic": 89,
        "features": "other",
        "duration": 9,
        "diabetes": False,
    },
    "timi": {
        **dict.fromkeys(
            (
                "family history",
                "hypertension",
                "cholesterol",
                "diabetes",
                "smoking",
                "aspirin",
                "markers",
            ),
            False,
        ),
        "age": 64,
        "stenosis": 49,
        "episodes": 1,
        "ST deviation": 0.4,
    },
}
"""A patient in whom nothing counts: every number stands on the last value that gives no point."""
LEAST = {"glasgow": 3}
"""What that patient scores, where it is not 0."""
RISKS = ("family history", "hypertension", "cholesterol", "diabetes", "smoking")
ADDS: dict[str, list[tuple[dict[str, Any], float]]] = {
    "curb65": [
        ({"confusion": True}, 1),
        ({"urea": 7.1}, 1),
        ({"respiratory rate": 30}, 1),
        ({"systolic": 89}, 1),
        ({"diastolic": 60}, 1),
        ({"systolic": 89, "diastolic": 60}, 1),
        ({"age": 65}, 1),
    ],
    "qsofa": [
        ({"respiratory rate": 22}, 1),
        ({"systolic": 100}, 1),
        ({"coma scale": 14}, 1),
        ({"diastolic": 40}, 0),
    ],
    "centor": [
        ({"temperature": 38.1}, 1),
        ({"cough": False}, 1),
        ({"tender nodes": True}, 1),
        ({"tonsils": True}, 1),
        ({"age": 14}, 1),
        ({"age": 44}, 0),
        ({"age": 45}, -1),
    ],
    "wells_pe": [
        ({"signs of thrombosis": True}, 3),
        ({"most likely": True}, 3),
        ({"heart rate": 101}, 1.5),
        ({"immobilisation or surgery": True}, 1.5),
        ({"previous thrombosis": True}, 1.5),
        ({"haemoptysis": True}, 1),
        ({"malignancy": True}, 1),
    ],
    "wells_dvt": [
        ({"malignancy": True}, 1),
        ({"paralysis or plaster": True}, 1),
        ({"bed rest or surgery": True}, 1),
        ({"tenderness": True}, 1),
        ({"whole leg": True}, 1),
        ({"calf": 3.0}, 1),
        ({"pitting oedema": True}, 1),
        ({"collateral veins": True}, 1),
        ({"previous thrombosis": True}, 1),
        ({"alternative": True}, -2),
    ],
    "perc": [
        ({"age": 50}, 1),
        ({"heart rate": 100}, 1),
        ({"oxygen saturation": 94}, 1),
        ({"leg swelling": True}, 1),
        ({"haemoptysis": True}, 1),
        ({"surgery or trauma": True}, 1),
        ({"previous thrombosis": True}, 1),
        ({"oestrogen": True}, 1),
    ],
    "has_bled": [
        ({"systolic": 161}, 1),
        ({"diastolic": 115}, 0),
        ({"creatinine": 201}, 1),
        ({"liver disease": True}, 1),
        ({"stroke": True}, 1),
        ({"bleeding": True}, 1),
        ({"time in range": 59}, 1),
        ({"age": 66}, 1),
        ({"drugs": True}, 1),
        ({"alcohol": 9}, 1),
    ],
    "cha2ds2_va": [
        ({"age": 65}, 1),
        ({"age": 74}, 1),
        ({"age": 75}, 2),
        ({"heart failure": True}, 1),
        ({"hypertension": True}, 1),
        ({"diabetes": True}, 1),
        ({"stroke": True}, 2),
        ({"vascular disease": True}, 1),
    ],
    "glasgow": [
        ({"eye opening": "to pressure"}, 1),
        ({"eye opening": "to sound"}, 2),
        ({"eye opening": "spontaneous"}, 3),
        ({"verbal response": "sounds"}, 1),
        ({"verbal response": "words"}, 2),
        ({"verbal response": "confused"}, 3),
        ({"verbal response": "orientated"}, 4),
        ({"motor response": "extension"}, 1),
        ({"motor response": "abnormal flexion"}, 2),
        ({"motor response": "normal flexion"}, 3),
        ({"motor response": "localises"}, 4),
        ({"motor response": "obeys"}, 5),
    ],
    "charlson": [
        *(
            ({name: True}, 1)
            for name in (
                "myocardial infarction",
                "heart failure",
                "peripheral vascular disease",
                "dementia",
            )
        ),
        *(
            ({name: True}, 1)
            for name in (
                "cerebrovascular disease",
                "chronic lung disease",
                "connective tissue disease",
                "peptic ulcer",
            )
        ),
        *(({name: True}, 2) for name in ("hemiplegia", "kidney disease", "leukaemia", "lymphoma")),
        ({"AIDS": True}, 6),
        ({"liver disease": "low"}, 1),
        ({"liver disease": "high"}, 3),
        ({"diabetes": "low"}, 1),
        ({"diabetes": "high"}, 2),
        ({"solid tumour": "low"}, 2),
        ({"solid tumour": "high"}, 6),
        ({"age": 50}, 1),
        ({"age": 59}, 1),
        ({"age": 60}, 2),
        ({"age": 69}, 2),
        ({"age": 70}, 3),
        ({"age": 79}, 3),
        ({"age": 80}, 4),
    ],
    "abcd2": [
        ({"age": 60}, 1),
        ({"systolic": 140}, 1),
        ({"diastolic": 90}, 1),
        ({"systolic": 140, "diastolic": 90}, 1),
        ({"features": "weakness"}, 2),
        ({"features": "speech"}, 1),
        ({"duration": 10}, 1),
        ({"duration": 59}, 1),
        ({"duration": 60}, 2),
        ({"diabetes": True}, 1),
    ],
    "timi": [
        ({"age": 65}, 1),
        (dict.fromkeys(RISKS[:2], True), 0),
        (dict.fromkeys(RISKS[:3], True), 1),
        (dict.fromkeys(RISKS[2:], True), 1),
        (dict.fromkeys(RISKS, True), 1),
        ({"stenosis": 50}, 1),
        ({"aspirin": True}, 1),
        ({"episodes": 2}, 1),
        ({"ST deviation": 0.5}, 1),
        ({"markers": True}, 1),
    ],
}
"""What a change to that patient adds."""
MOST = {
    "curb65": 5,
    "qsofa": 3,
    "centor": 5,
    "wells_pe": 12.5,
    "wells_dvt": 9,
    "perc": 8,
    "has_bled": 9,
    "cha2ds2_va": 8,
    "glasgow": 15,
    "charlson": 37,
    "abcd2": 7,
    "timi": 7,
}
"""The highest total, as the papers give it."""
FORMULAS: list[tuple[str, dict[str, Any], float]] = [
    ("bmi", {"weight": 70, "height": 1.75}, 22.857),
    ("bmi", {"weight": 100, "height": 2.0}, 25),
    ("anion_gap", {"sodium": 140, "chloride": 104, "bicarbonate": 24}, 12),
    ("corrected_calcium", {"calcium": 8.0, "albumin": 2.0}, 9.6),
    ("corrected_calcium", {"calcium": 10.0, "albumin": 5.0}, 9.2),
    ("creatinine_clearance", {"age": 60, "sex": "male", "weight": 72, "creatinine": 1.0}, 80),
    ("creatinine_clearance", {"age": 60, "sex": "female", "weight": 72, "creatinine": 1.0}, 68),
    (
        "ckd_epi_2021",
        {"age": 50, "sex": "male", "creatinine": 0.9},
        142 * 0.73274,
    ),  # at kappa both powers are 1; 0.9938 ^ 50 = 0.73274
    ("ckd_epi_2021", {"age": 50, "sex": "female", "creatinine": 0.7}, 142 * 0.73274 * 1.012),
    (
        "ckd_epi_2021",
        {"age": 50, "sex": "male", "creatinine": 1.8},
        142 * 0.43528 * 0.73274,
    ),  # 2 ^ -1.2 = 0.43528
    (
        "ckd_epi_2021",
        {"age": 50, "sex": "female", "creatinine": 1.4},
        142 * 0.43528 * 0.73274 * 1.012,
    ),
    (
        "ckd_epi_2021",
        {"age": 50, "sex": "male", "creatinine": 0.45},
        142 * 1.23286 * 0.73274,
    ),  # 0.5 ^ -0.302 = 1.23286
    (
        "ckd_epi_2021",
        {"age": 50, "sex": "female", "creatinine": 0.35},
        142 * 1.18182 * 0.73274 * 1.012,
    ),  # 0.5 ^ -0.241 = 1.18182
    ("mean_arterial_pressure", {"systolic": 120, "diastolic": 80}, 93.333),
    ("mean_arterial_pressure", {"systolic": 90, "diastolic": 60}, 70),
    ("osmolality", {"sodium": 140, "glucose": 90, "urea nitrogen": 14}, 290),
    ("osmolality", {"sodium": 130, "glucose": 720, "urea nitrogen": 28}, 310),
    ("qtc", {"QT interval": 400, "heart rate": 60}, 400),
    ("qtc", {"QT interval": 360, "heart rate": 100}, 464.76),
    ("qtc", {"QT interval": 420, "heart rate": 135}, 630),
]
SCORES = pytest.mark.parametrize("name", NOTHING)


def test_twelve_scores_and_eight_formulas_are_all_worked_here() -> None:
    scores = {name for name, calculator in CALCULATORS.items() if calculator.formula is None}
    assert scores == set(NOTHING) == set(ADDS) == set(MOST)
    assert {name for name, _, _ in FORMULAS} == set(CALCULATORS) - scores
    assert (len(scores), len(CALCULATORS)) == (12, 20)


@SCORES
def test_a_patient_just_below_every_threshold_scores_nothing(name: str) -> None:
    assert CALCULATORS[name].value(NOTHING[name]) == LEAST.get(name, 0)


@pytest.mark.parametrize(
    ("name", "change", "points"),
    [(name, change, points) for name, changes in ADDS.items() for change, points in changes],
    ids=lambda value: (
        "+".join(f"{name} {found}" for name, found in value.items())
        if isinstance(value, dict)
        else str(value)
    ),
)
def test_one_finding_more_adds_its_points(name: str, change: dict[str, Any], points: float) -> None:
    calculator, before = CALCULATORS[name], NOTHING[name]
    after = {**before, **change}
    assert calculator.value(after) == calculator.value(before) + points
    moved = [
        part
        for part in calculator.parts(before)
        if calculator.parts(after)[part] != calculator.parts(before)[part]
    ]
    assert len(moved) == (1 if points else 0)


@SCORES
def test_every_point_of_every_criterion_was_tried_above(name: str) -> None:
    """So that no criterion, and none of its grades, goes without a patient of its own."""
    calculator = CALCULATORS[name]
    patients = [NOTHING[name], *({**NOTHING[name], **change} for change, _ in ADDS[name])]
    for criterion in calculator.criteria:
        assert {criterion.of(patient) for patient in patients} == set(criterion.points), (
            criterion.name
        )


@SCORES
def test_the_highest_total_is_the_papers(name: str) -> None:
    best: dict[str, tuple[float, dict[str, Any]]] = {}
    for change, points in ADDS[name]:
        if points > best.get(min(change), (0.0, {}))[0]:
            best[min(change)] = (points, change)
    patient = {
        **NOTHING[name],
        **{finding: found for _, change in best.values() for finding, found in change.items()},
    }
    assert CALCULATORS[name].value(patient) == MOST[name]
    assert CALCULATORS[name].highest == MOST[name]


@pytest.mark.parametrize(("name", "case", "value"), FORMULAS)
def test_formulas_by_hand(name: str, case: dict[str, Any], value: float) -> None:
    assert CALCULATORS[name].value(case) == pytest.approx(value, rel=2e-5)


def test_every_calculator_names_its_paper_and_its_criteria_can_be_told_apart() -> None:
    for name, calculator in CALCULATORS.items():
        assert calculator.name == name
        assert re.search(r"\b(19|20)[0-9]{2};[0-9]+:[0-9]+", calculator.source), name
        names = [criterion.name.casefold() for criterion in calculator.criteria]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z][a-z ]*[a-z]", criterion) for criterion in names)


def told(name: str, unit: str, text: str) -> float | None:
    """The number that a note gives of something in a unit; None where it does not."""
    found = re.search(
        rf"\b{name} ?(?:is|:|was measured at|gives) ([0-9.]+) {unit}(?![A-Za-z])",
        text,
        re.IGNORECASE,
    )
    return float(found[1]) if found else None


IN_OTHER_UNITS: list[tuple[str, dict[str, str], Any]] = [
    (
        "bmi",
        {"weight": "lb", "height": "inches"},
        lambda x: 703.07 * x["weight"] / x["height"] ** 2,
    ),
    ("bmi", {"weight": "kg", "height": "cm"}, lambda x: 1e4 * x["weight"] / x["height"] ** 2),
    (
        "creatinine_clearance",
        {"weight": "kg", "creatinine": "µmol/L"},
        lambda x: x["weight"] * (140 - x["age"]) * x["sex"] / x["creatinine"],
    ),
    (
        "corrected_calcium",
        {"calcium": "mmol/L", "albumin": "g/L"},
        lambda x: (x["calcium"] + 0.02 * (40 - x["albumin"])) / 0.2495,
    ),
    (
        "osmolality",
        {"sodium": "mEq/L", "glucose": "mmol/L", "urea": "mmol/L"},
        lambda x: 2 * x["sodium"] + x["glucose"] + x["urea"],
    ),
    (
        "qtc",
        {"QT interval": "s", "heart rate": "beats per minute"},
        lambda x: 1000 * x["QT interval"] / math.sqrt(60 / x["heart rate"]),
    ),
]
"""Formulas as the literature states them in other units than ours; Cockcroft-Gault with 1.23 for
men and 1.04 for women.
"""


@pytest.mark.parametrize(
    ("name", "units", "formula"),
    IN_OTHER_UNITS,
    ids=[f"{name} in {units}" for name, units, _ in IN_OTHER_UNITS],
)
def test_what_the_note_says_in_other_units_gives_the_value(
    name: str, units: dict[str, str], formula: Any
) -> None:
    calculator, checked = CALCULATORS[name], 0
    for number in range(400):
        random = generator("test", name, number)
        case = draw_case(calculator, random)
        note = write(calculator, case, random, held_out=number % 2 == 0, distractors=0)
        found = {what: told(what, unit, note) for what, unit in units.items()}
        if None in found.values():
            continue
        person = {"age": case.get("age"), "sex": 1.23 if case.get("sex") == "male" else 1.04}
        assert formula({**person, **found}) == pytest.approx(calculator.value(case), rel=0.006), (
            note
        )
        checked += 1
    assert checked >= 30


def test_thresholds_hold_in_the_unit_that_is_told() -> None:
    """100.4 degrees Fahrenheit are 38 and no fever; a urea nitrogen of 20 mg/dL is above 7 mmol/L
    and 19 is not, as the paper says.
    """
    seen = set()
    for number in range(3000):
        for name, what, unit, edge in (
            ("centor", "temperature", "°F", 100.4),
            ("curb65", "urea nitrogen", "mg/dL", 19),
            ("has_bled", "creatinine", "mg/dL", 2.26),
        ):
            calculator, random = CALCULATORS[name], generator("test", name, number)
            case = draw_case(calculator, random)
            value = told(what, unit, write(calculator, case, random, held_out=False, distractors=0))
            if value is not None:
                criterion = {
                    "centor": "temperature",
                    "curb65": "urea",
                    "has_bled": "renal function",
                }[name]
                assert calculator.parts(case)[criterion] == (value > edge), (name, value)
                seen.add((name, value))
    assert {("centor", 100.3), ("centor", 100.4), ("centor", 100.5)} <= seen
    assert {("curb65", 19.0), ("curb65", 20.0), ("has_bled", 2.2), ("has_bled", 2.3)} <= seen
