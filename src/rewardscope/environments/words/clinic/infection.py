"""Scores of acute infection: CURB-65, qSOFA, and Centor as modified by McIsaac."""

from rewardscope.environments.words.clinic.calculator import Calculator, Criterion, points
from rewardscope.environments.words.clinic.findings import (
    SIGN,
    SYMPTOM,
    Quantity,
    Unit,
    age,
    pressure,
)
from rewardscope.environments.words.clinic.vocabulary import (
    FEVER,
    LACTATE,
    PER_MINUTE,
    PULSE,
    TEMPERATURE,
    UREA,
)

CURB65 = Calculator(
    "curb65",
    "the CURB-65 score",
    "Lim WS et al. Thorax 2003;58:377-382",
    (
        age(30, 95, 65),
        SIGN.flag(
            "confusion",
            "confusion",
            "new confusion",
            "new disorientation in place and time",
            "acute confusion that is new",
        ),
        Quantity("urea", 2, 25, UREA, (7,), called="serum urea"),
        Quantity("respiratory rate", 12, 44, PER_MINUTE, (30,)),
        pressure((90,), (60,)),
    ),
    (
        points("confusion"),
        Criterion("urea", lambda c: c["urea"] > 7),
        Criterion("respiratory rate", lambda c: c["respiratory rate"] >= 30),
        Criterion("blood pressure", lambda c: c["systolic"] < 90 or c["diastolic"] <= 60),
        Criterion("age", lambda c: c["age"] >= 65),
    ),
    traps=(
        PULSE,
        FEVER,
        "{His} brother has dementia.",
        "Last year {his} respiratory rate was 32 breaths per minute.",
    ),
)

QSOFA = Calculator(
    "qsofa",
    "the qSOFA score",
    "Singer M et al. JAMA 2016;315:801-810; Seymour CW et al. JAMA 2016;315:762-774",
    (
        Quantity("respiratory rate", 10, 32, PER_MINUTE, (22,)),
        pressure((100,)),
        Quantity(
            "coma scale", 13, 15, (Unit("points"),), (14,), called="the Glasgow Coma Scale score"
        ),
    ),
    (
        Criterion("respiratory rate", lambda c: c["respiratory rate"] >= 22),
        Criterion("blood pressure", lambda c: c["systolic"] <= 100),
        Criterion("mentation", lambda c: c["coma scale"] < 15),
    ),
    traps=(FEVER, LACTATE, PULSE, "Last week {his} respiratory rate was 26 breaths per minute."),
)

CENTOR = Calculator(
    "centor",
    "the Centor score as modified by McIsaac",
    "McIsaac WJ et al. CMAJ 1998;158:75-83",
    (
        age(3, 75, 15, 45),
        Quantity("temperature", 36, 40.5, TEMPERATURE, (38,), called="body temperature"),
        SYMPTOM.flag(
            "cough",
            "cough",
            "a dry cough",
            "a cough with some sputum",
            "a cough that keeps {him} awake",
        ),
        SIGN.flag(
            "tender nodes",
            "tender anterior cervical nodes",
            "tender swollen anterior cervical lymph nodes",
            "tenderness of the anterior cervical nodes",
            "painful anterior cervical adenopathy",
        ),
        SIGN.flag(
            "tonsils",
            "tonsillar swelling or exudate",
            "tonsillar exudate",
            "swelling of the tonsils",
            "white exudate on both tonsils",
        ),
    ),
    (
        Criterion("temperature", lambda c: c["temperature"] > 38),
        Criterion("no cough", lambda c: not c["cough"]),
        points("tender nodes"),
        points("tonsils"),
        Criterion("age", lambda c: (c["age"] < 15) - (c["age"] >= 45), (-1, 0, 1)),
    ),
    traps=(
        "{His} sister has a cough.",
        "The eardrums look normal.",
        "{He} had {his} adenoids removed years ago.",
        PULSE,
    ),
)
