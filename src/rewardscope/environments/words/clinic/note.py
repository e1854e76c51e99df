"""A case note: who the patient is, what was found, and what does not count, in an order of its
own.
"""

import numpy as np

from rewardscope.environments.words.clinic.calculator import Calculator
from rewardscope.environments.words.clinic.findings import Case, Quantity, pick
from rewardscope.seeds import generator

OPENINGS = (
    "A {age}-year-old {who} is seen in the emergency department.",
    "A {who} aged {age} years comes to the clinic.",
    "A {who} of {age} years was admitted today.",
    "The patient is a {who}, {age} years old.",
)
QUESTIONS = (
    "What is {title}?",
    "Calculate {title}.",
    "Work out {title}.",
    "Determine {title} for this patient.",
)
SILENCE = " What the note does not mention is absent."
"""The rule that makes a short note complete."""
ADULT = 16
WHO = {
    ("female", True): "woman",
    ("female", False): "girl",
    ("male", True): "man",
    ("male", False): "boy",
}
PRONOUNS = {
    "female": {"{He}": "She", "{he}": "she", "{him}": "her", "{His}": "Her", "{his}": "her"},
    "male": {"{He}": "He", "{he}": "he", "{him}": "him", "{His}": "His", "{his}": "his"},
}
BESIDE_THE_POINT = (
    "{He} is allergic to penicillin.",
    "{He} wears glasses.",
    "{He} is left-handed.",
    "{He} lives on the second floor.",
    "{His} blood group is A.",
    "{He} was vaccinated against influenza last autumn.",
    "{He} lives near the station.",
    "There are two cats at home.",
    "Hearing is normal on both sides.",
    "{He} slept seven hours last night.",
    "{He} has had chickenpox.",
    "{His} health insurance is private.",
)
"""Facts that count in no calculator."""


def write(
    calculator: Calculator,
    case: Case,
    random: np.random.Generator,
    held_out: bool,
    distractors: int,
) -> str:
    """The note: an opening sentence, then findings and ``distractors`` facts that do not count.

    The distractors have a generator of their own, addressed by the note without them, so their
    number changes nothing else.
    """
    sex = case.get("sex") or calculator.sexes[int(random.integers(len(calculator.sexes)))]
    age = int(case["age"]) if "age" in case else int(random.integers(20, 90))
    opening = pick(OPENINGS, random, held_out).format(age=age, who=WHO[sex, age >= ADULT])
    if age in (8, 11, 18) or 80 <= age < 90:
        opening = opening.replace(f"A {age}", f"An {age}")
    told = [
        finding.say(case, random, held_out)
        for finding in calculator.findings
        if finding.name not in ("age", "sex")
        and not (finding.silent(case) and random.random() >= calculator.denied)
    ]
    sentences = [told[place] for place in random.permutation(len(told))]
    beside = generator("clinic", "distractors", calculator.name, *sentences)
    for place, text in _beside_the_point(calculator, distractors, held_out, beside):
        sentences.insert(round(place * len(sentences)), text)
    note = " ".join([opening, *sentences])
    for token, word in PRONOUNS[sex].items():
        note = note.replace(token, word)
    return note


def question(calculator: Calculator, random: np.random.Generator, held_out: bool) -> str:
    """What is asked of the note."""
    return pick(QUESTIONS, random, held_out).format(title=calculator.title) + (
        "" if calculator.formula else SILENCE
    )


def _beside_the_point(
    calculator: Calculator, count: int, held_out: bool, random: np.random.Generator
) -> list[tuple[float, str]]:
    """Places (shares of the note's length) and texts of ``count`` facts; every other one is a trap,
    while there are some.
    """
    traps = [calculator.traps[place] for place in random.permutation(len(calculator.traps))]
    others = [BESIDE_THE_POINT[place] for place in random.permutation(len(BESIDE_THE_POINT))]
    chosen = [traps.pop() if number % 2 == 0 and traps else others.pop() for number in range(count)]
    return [
        (
            float(random.random()),
            fact.say(fact.draw(random, 1.0), random, held_out)
            if isinstance(fact, Quantity)
            else fact,
        )
        for fact in chosen
    ]
