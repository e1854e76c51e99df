"""Scores of venous thrombosis: both of Wells, and PERC.

Wells at a difference of exactly 3 cm is not asked: the paper of 2003 counts it, much that cites it
does not.
"""

from rewardscope.environments.words.clinic.calculator import Calculator, Criterion, points
from rewardscope.environments.words.clinic.findings import DRUG, SIGN, Flag, Quantity, Unit, age
from rewardscope.environments.words.clinic.vocabulary import (
    BEATS,
    BLOOD,
    CANCER,
    CLOT,
    FAMILY_CLOT,
    FEVER,
    OLD_SURGERY,
    SKIN,
)

WELLS_PE = Calculator(
    "wells_pe",
    "the Wells score for pulmonary embolism",
    "Wells PS et al. Thromb Haemost 2000;83:416-420",
    (
        SIGN.flag(
            "signs of thrombosis",
            "signs of deep vein thrombosis",
            "swelling of the left leg and pain on palpation of its deep veins",
            "a swollen right calf that is tender over the deep veins",
            "leg swelling with tenderness along the deep veins",
        ),
        Flag(
            "most likely",
            (
                "Every other diagnosis is judged less likely than pulmonary embolism.",
                "Pulmonary embolism is judged more likely than any alternative.",
                "No alternative diagnosis is as likely as pulmonary embolism.",
            ),
            (
                "Pneumonia is judged more likely than pulmonary embolism.",
                "An alternative diagnosis is judged more likely than pulmonary embolism.",
                "Heart failure explains the picture better than pulmonary embolism.",
            ),
        ),
        Quantity("heart rate", 60, 140, BEATS, (100,)),
        Flag(
            "immobilisation or surgery",
            (
                "{He} has been confined to bed for the last five days.",
                "{He} had a hip operation two weeks ago.",
                "A bowel resection was done ten days ago.",
            ),
            (
                "{He} has been mobile and has had no recent operation.",
                "There was no recent surgery and no bed rest.",
                "No surgery and no immobilisation took place lately.",
            ),
        ),
        CLOT,
        BLOOD,
        CANCER,
    ),
    (
        points("signs of thrombosis", 3),
        points("most likely", 3),
        Criterion("heart rate", lambda c: 1.5 * (c["heart rate"] > 100), (0, 1.5)),
        points("immobilisation or surgery", 1.5),
        points("previous thrombosis", 1.5),
        points("haemoptysis"),
        points("malignancy"),
    ),
    traps=(
        FAMILY_CLOT,
        OLD_SURGERY,
        SKIN,
        "Last month {his} heart rate was 118 beats per minute during exercise.",
    ),
)

WELLS_DVT = Calculator(
    "wells_dvt",
    "the Wells score for deep vein thrombosis (2003 version, with previous thrombosis)",
    "Wells PS et al. N Engl J Med 2003;349:1227-1235",
    (
        CANCER,
        SIGN.flag(
            "paralysis or plaster",
            "paralysis or plaster cast of a leg",
            "paresis of the affected leg after a stroke",
            "a plaster cast on the affected leg",
            "a paralysed affected leg",
        ),
        Flag(
            "bed rest or surgery",
            (
                "{He} has been bedridden for five days.",
                "{He} had a major operation in general anaesthesia five weeks ago.",
                "A knee was replaced in spinal anaesthesia two months ago.",
            ),
            (
                "{He} has not been bedridden and has had no operation this year.",
                "There was no bed rest and no recent surgery.",
                "Neither bed rest nor surgery preceded.",
            ),
        ),
        SIGN.flag(
            "tenderness",
            "tenderness along the deep veins",
            "localised tenderness along the deep venous system",
            "pain on pressure along the deep veins of the leg",
            "tenderness over the popliteal and femoral veins",
        ),
        SIGN.flag(
            "whole leg",
            "swelling of the entire leg",
            "a leg that is swollen in its entire length",
            "swelling of the whole leg",
            "swelling from groin to ankle of one leg",
        ),
        Quantity(
            "calf", 0, 6, (Unit("cm", 1),), (3,), called="the difference in calf circumference"
        ),
        SIGN.flag(
            "pitting oedema",
            "pitting oedema",
            "pitting oedema of the symptomatic leg only",
            "pitting oedema confined to the painful leg",
            "oedema that pits in the affected leg alone",
        ),
        SIGN.flag(
            "collateral veins",
            "collateral superficial veins",
            "dilated collateral superficial veins that are not varicose",
            "non-varicose superficial collateral veins",
            "visible collateral veins without varices",
        ),
        CLOT,
        Flag(
            "alternative",
            (
                "Cellulitis is judged at least as likely as thrombosis.",
                "An alternative diagnosis is at least as likely as thrombosis.",
                "A ruptured Baker cyst explains the leg at least as well as thrombosis.",
            ),
            (
                "No other diagnosis is as likely as thrombosis.",
                "Thrombosis is judged more likely than any alternative.",
                "Every alternative is less likely than thrombosis.",
            ),
        ),
    ),
    (
        points("malignancy"),
        points("paralysis or plaster"),
        points("bed rest or surgery"),
        points("tenderness"),
        points("whole leg"),
        Criterion("calf", lambda c: c["calf"] >= 3),
        points("pitting oedema"),
        points("collateral veins"),
        points("previous thrombosis"),
        points("alternative", -2),
    ),
    traps=(FAMILY_CLOT, OLD_SURGERY, SKIN, "Varicose veins of the other leg were noted years ago."),
    possible=lambda c: c["calf"] != 3,
)

PERC = Calculator(
    "perc",
    "the number of positive PERC criteria (of eight)",
    "Kline JA et al. J Thromb Haemost 2004;2:1247-1255; 2008;6:772-780",
    (
        age(20, 80, 50),
        Quantity("heart rate", 60, 135, BEATS, (100,)),
        Quantity(
            "oxygen saturation",
            86,
            100,
            (Unit("%"),),
            (95,),
            called="oxygen saturation on room air",
        ),
        SIGN.flag(
            "leg swelling",
            "swelling of one leg",
            "unilateral leg swelling",
            "a left calf wider than the right one",
            "one visibly swollen leg",
        ),
        BLOOD,
        Flag(
            "surgery or trauma",
            (
                "{He} was in hospital for an operation two weeks ago.",
                "{He} was admitted with a broken femur three weeks ago.",
                "An emergency appendectomy with hospital stay was ten days ago.",
            ),
            (
                "There was no recent surgery or trauma.",
                "{He} has had no operation and no injury this year.",
                "Neither surgery nor injury occurred lately.",
            ),
        ),
        CLOT,
        DRUG.flag(
            "oestrogen",
            "oestrogens",
            "a combined oral contraceptive with ethinylestradiol",
            "oestrogen tablets for the menopause",
            "an oestrogen patch",
        ),
    ),
    (
        Criterion("age", lambda c: c["age"] >= 50),
        Criterion("heart rate", lambda c: c["heart rate"] >= 100),
        Criterion("oxygen saturation", lambda c: c["oxygen saturation"] < 95),
        points("leg swelling"),
        points("haemoptysis"),
        points("surgery or trauma"),
        points("previous thrombosis"),
        points("oestrogen"),
    ),
    traps=(FAMILY_CLOT, OLD_SURGERY, FEVER, "{His} sister takes an oral contraceptive."),
    sexes=("female",),
)
