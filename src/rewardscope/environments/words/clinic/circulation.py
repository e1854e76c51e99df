"""Scores of the arteries and the heart: HAS-BLED, CHA2DS2-VA, ABCD2, TIMI.

HAS-BLED at exactly 200 µmol/L or 8 drinks is not asked: the paper counts them, some that cite it do
not.
"""

from rewardscope.environments.words.clinic.calculator import Calculator, Criterion, points
from rewardscope.environments.words.clinic.findings import (
    DRUG,
    HISTORY,
    TOLD,
    Choice,
    Flag,
    Quantity,
    Unit,
    age,
    pressure,
)
from rewardscope.environments.words.clinic.vocabulary import BREATHING, DIABETES, FEVER, PULSE

HAS_BLED = Calculator(
    "has_bled",
    "the HAS-BLED score",
    "Pisters R et al. Chest 2010;138:1093-1100",
    (
        pressure((160,)),
        Quantity(
            "creatinine",
            60,
            400,
            (Unit("µmol/L"), Unit("mg/dL", 1, 1 / 88.4)),
            (200,),
            called="serum creatinine",
        ),
        HISTORY.flag(
            "liver disease",
            "liver disease",
            "cirrhosis of the liver",
            "cirrhosis",
            "liver cirrhosis on biopsy",
        ),
        HISTORY.flag(
            "stroke",
            "stroke",
            "an ischaemic stroke five years ago",
            "a stroke with residual weakness",
            "a cerebral infarction",
        ),
        HISTORY.flag(
            "bleeding",
            "major bleeding",
            "a major gastrointestinal bleed",
            "a bleeding diathesis",
            "a haemorrhage that needed transfusion",
        ),
        Quantity(
            "time in range",
            30,
            90,
            (Unit("%"),),
            (60,),
            "the time in therapeutic range on warfarin",
            TOLD,
        ),
        age(45, 92, 65),
        DRUG.flag(
            "drugs",
            "antiplatelet or anti-inflammatory drugs",
            "clopidogrel",
            "aspirin every day",
            "ibuprofen every day",
        ),
        Quantity("alcohol", 0, 30, (Unit(""),), (8,), "alcohol intake in drinks per week", TOLD),
    ),
    (
        Criterion("blood pressure", lambda c: c["systolic"] > 160),
        Criterion("renal function", lambda c: c["creatinine"] >= 200),
        points("liver disease"),
        points("stroke"),
        points("bleeding"),
        Criterion("labile INR", lambda c: c["time in range"] < 60),
        Criterion("age", lambda c: c["age"] > 65),
        points("drugs"),
        Criterion("alcohol", lambda c: c["alcohol"] >= 8),
    ),
    traps=(
        "{His} father had a stroke at 70.",
        "{He} takes paracetamol now and then.",
        "Ten years ago {he} gave blood.",
        PULSE,
    ),
    possible=lambda c: c["alcohol"] != 8 and c["creatinine"] != 200,
)

CHA2DS2_VA = Calculator(
    "cha2ds2_va",
    "the CHA2DS2-VA score",
    "Van Gelder IC et al. Eur Heart J 2024;45:3314-3414 (ESC guideline, table 10)",
    (
        age(45, 92, 65, 75),
        HISTORY.flag(
            "heart failure",
            "heart failure",
            "heart failure with reduced ejection fraction",
            "congestive heart failure",
            "chronic cardiac failure",
        ),
        HISTORY.flag(
            "hypertension",
            "hypertension",
            "hypertension on treatment",
            "arterial hypertension treated with ramipril",
            "treated high blood pressure",
        ),
        DIABETES,
        HISTORY.flag(
            "stroke",
            "stroke, transient ischaemic attack or arterial embolism",
            "an ischaemic stroke",
            "a transient ischaemic attack",
            "an embolism to the femoral artery",
        ),
        HISTORY.flag(
            "vascular disease",
            "vascular disease",
            "a myocardial infarction",
            "peripheral artery disease",
            "complex aortic plaque",
        ),
    ),
    (
        points("heart failure"),
        points("hypertension"),
        Criterion("age", lambda c: (c["age"] >= 65) + (c["age"] >= 75), (0, 1, 2)),
        points("diabetes"),
        points("stroke", 2),
        points("vascular disease"),
    ),
    traps=(
        "{His} mother had a stroke.",
        "{He} takes warfarin for atrial fibrillation.",
        "{His} brother has diabetes.",
        BREATHING,
    ),
)

ABCD2 = Calculator(
    "abcd2",
    "the ABCD2 score",
    "Johnston SC et al. Lancet 2007;369:283-292",
    (
        age(40, 90, 60),
        pressure((140,), (90,)),
        Choice(
            "features",
            {
                "weakness": (
                    "{His} right arm and leg were weak.",
                    "{He} had weakness of the left side of the body.",
                    "One half of the body lost its strength.",
                ),
                "speech": (
                    "{His} speech was disturbed without any weakness.",
                    "{He} could not find words, but had no weakness.",
                    "Without weakness, speech alone was slurred.",
                ),
                "other": (
                    "{He} had numbness of one hand, without weakness or speech disturbance.",
                    "{He} lost sight in one eye; strength and speech were normal.",
                    "Dizziness came with normal strength and speech.",
                ),
            },
        ),
        Quantity(
            "duration",
            6,
            240,
            (Unit("minutes"), Unit("hours", 1, 1 / 60)),
            (10, 60),
            "the duration of symptoms",
            TOLD,
        ),
        DIABETES,
    ),
    (
        Criterion("age", lambda c: c["age"] >= 60),
        Criterion("blood pressure", lambda c: c["systolic"] >= 140 or c["diastolic"] >= 90),
        Criterion(
            "features", lambda c: {"weakness": 2, "speech": 1, "other": 0}[c["features"]], (0, 1, 2)
        ),
        Criterion("duration", lambda c: (c["duration"] >= 10) + (c["duration"] >= 60), (0, 1, 2)),
        points("diabetes"),
    ),
    traps=(
        "{His} father has diabetes.",
        PULSE,
        "Two years ago a migraine lasted four hours.",
        "{His} neighbour had a stroke with weakness.",
    ),
)

TIMI = Calculator(
    "timi",
    "the TIMI risk score for unstable angina or non-ST-elevation infarction",
    "Antman EM et al. JAMA 2000;284:835-842",
    (
        age(35, 90, 65),
        HISTORY.flag(
            "family history",
            "coronary disease in the family",
            "coronary artery disease in {his} father at 50",
            "coronary disease in both parents",
            "coronary disease in close relatives",
        ),
        HISTORY.flag(
            "hypertension",
            "hypertension",
            "arterial hypertension",
            "hypertension on treatment",
            "treated high blood pressure",
        ),
        HISTORY.flag(
            "cholesterol",
            "hypercholesterolaemia",
            "hypercholesterolaemia on a statin",
            "high cholesterol",
            "raised LDL cholesterol",
        ),
        DIABETES,
        Flag(
            "smoking",
            (
                "{He} smokes ten cigarettes a day.",
                "{He} is a current smoker.",
                "A pack of cigarettes lasts {him} a day.",
            ),
            ("{He} has never smoked.", "{He} is a non-smoker.", "Cigarettes were never used."),
        ),
        Quantity(
            "stenosis",
            0,
            95,
            (Unit("%"),),
            (50,),
            "the worst coronary stenosis on earlier angiography",
            TOLD,
        ),
        DRUG.flag(
            "aspirin",
            "aspirin",
            "aspirin 75 mg every day, also this week",
            "low-dose aspirin daily",
            "aspirin, last taken yesterday",
        ),
        Quantity(
            "episodes",
            0,
            6,
            (Unit(""),),
            (2,),
            "the number of angina attacks in the last 24 hours",
            TOLD,
        ),
        Quantity("ST deviation", 0, 3, (Unit("mm", 1),), (0.5,)),
        Flag(
            "markers",
            (
                "Cardiac troponin is elevated.",
                "Creatine kinase MB is above its limit.",
                "Troponin came back raised.",
            ),
            (
                "Cardiac troponin is normal.",
                "Cardiac markers are not raised.",
                "Troponin came back normal.",
            ),
        ),
    ),
    (
        Criterion("age", lambda c: c["age"] >= 65),
        Criterion(
            "risk factors",
            lambda c: (
                sum(
                    c[name]
                    for name in (
                        "family history",
                        "hypertension",
                        "cholesterol",
                        "diabetes",
                        "smoking",
                    )
                )
                >= 3
            ),
        ),
        Criterion("stenosis", lambda c: c["stenosis"] >= 50),
        points("aspirin"),
        Criterion("angina", lambda c: c["episodes"] >= 2),
        Criterion("ST deviation", lambda c: c["ST deviation"] >= 0.5),
        points("markers"),
    ),
    traps=(PULSE, FEVER, "{His} neighbour smokes.", "Last year {he} had an ankle sprain."),
    prevalence=0.8,
)
