"""Eight formulas, each as its paper states it; the unit that the answer is asked in is part of the
title.
"""

import math

from rewardscope.environments.words.clinic.calculator import Calculator, inputs
from rewardscope.environments.words.clinic.findings import (
    Case,
    Choice,
    Quantity,
    Unit,
    age,
    pressure,
)

SEX = Choice("sex", {"female": (), "male": ()})
"""Told by the first sentence of the note."""
WEIGHT = Quantity("weight", 40, 150, (Unit("kg"), Unit("lb", factor=2.20462)), called="body weight")
HEIGHT = Quantity(
    "height", 1.45, 2.0, (Unit("m", 2), Unit("cm", factor=100), Unit("inches", factor=39.3701))
)
CREATININE = Quantity(
    "creatinine",
    0.4,
    4.0,
    (Unit("mg/dL", 2), Unit("µmol/L", factor=88.4)),
    called="serum creatinine",
)
ELECTROLYTE = (Unit("mmol/L"), Unit("mEq/L"))
SODIUM = Quantity("sodium", 110, 170, ELECTROLYTE, called="serum sodium")
POTASSIUM = Quantity("potassium", 2.8, 5.9, (Unit("mmol/L", 1),), called="serum potassium")
GLUCOSE = Quantity(
    "glucose", 40, 1200, (Unit("mg/dL"), Unit("mmol/L", 1, 1 / 18)), called="blood glucose"
)
UREA_NITROGEN = Quantity(
    "urea nitrogen",
    5,
    150,
    (Unit("mg/dL"), Unit("mmol/L", 1, 1 / 2.8, called="serum urea")),
    called="blood urea nitrogen",
)
PULSE = Quantity("pulse", 50, 130, (Unit("beats per minute"),))


def creatinine_clearance(case: Case) -> float:
    """(140 - age) x weight / (72 x creatinine), x 0.85 for women, in mL/min."""
    value = (140 - case["age"]) * case["weight"] / (72 * case["creatinine"])
    return float(value * (0.85 if case["sex"] == "female" else 1.0))


def ckd_epi_2021(case: Case) -> float:
    """142 x min(Scr / k, 1)^a x max(Scr / k, 1)^-1.2 x 0.9938^age, x 1.012 for women; k = 0.7, a =
    -0.241 (women), 0.9, -0.302 (men).
    """
    female = case["sex"] == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = case["creatinine"] / kappa
    return float(
        142
        * min(ratio, 1) ** alpha
        * max(ratio, 1) ** -1.2
        * 0.9938 ** case["age"]
        * (1.012 if female else 1)
    )


FORMULAS: tuple[Calculator, ...] = (
    Calculator(
        "bmi",
        "the body mass index in kg/m2",
        "Keys A et al. J Chronic Dis 1972;25:329-343; WHO Technical Report Series 894, 2000",
        (WEIGHT, HEIGHT),
        inputs(weight="kg", height="m"),
        lambda case: float(case["weight"] / case["height"] ** 2),
        traps=(
            Quantity("waist", 60, 130, (Unit("cm"),), called="waist circumference"),
            PULSE,
            "A year ago {he} weighed 66 kg.",
        ),
    ),
    Calculator(
        "anion_gap",
        "the serum anion gap in mmol/L, without potassium",
        "Emmett M, Narins RG. Medicine (Baltimore) 1977;56:38-54",
        (
            Quantity("sodium", 122, 158, ELECTROLYTE, called="serum sodium"),
            Quantity("chloride", 85, 118, ELECTROLYTE, called="serum chloride"),
            Quantity("bicarbonate", 6, 36, ELECTROLYTE, called="serum bicarbonate"),
        ),
        inputs(sodium="mmol/L", chloride="mmol/L", bicarbonate="mmol/L"),
        lambda case: float(case["sodium"] - case["chloride"] - case["bicarbonate"]),
        traps=(
            POTASSIUM,
            Quantity("urine sodium", 10, 120, (Unit("mmol/L"),)),
            "Last month serum sodium was 139 mmol/L.",
        ),
        possible=lambda case: 4 <= case["sodium"] - case["chloride"] - case["bicarbonate"] <= 40,
    ),
    Calculator(
        "corrected_calcium",
        "the total calcium corrected for albumin in mg/dL (0.8 mg/dL per g/dL of albumin below "
        "4.0)",
        "Payne RB et al. Br Med J 1973;4:643-646, in the rounded form for mg/dL",
        (
            Quantity(
                "calcium",
                6.0,
                13.5,
                (Unit("mg/dL", 1), Unit("mmol/L", 2, 0.2495)),
                called="total serum calcium",
            ),
            Quantity(
                "albumin",
                1.5,
                5.2,
                (Unit("g/dL", 1), Unit("g/L", factor=10)),
                called="serum albumin",
            ),
        ),
        inputs(calcium="mg/dL", albumin="g/dL"),
        lambda case: float(case["calcium"] + 0.8 * (4 - case["albumin"])),
        traps=(
            Quantity("phosphate", 2.0, 6.0, (Unit("mg/dL", 1),), called="serum phosphate"),
            Quantity("total protein", 5.0, 8.5, (Unit("g/dL", 1),)),
            "Last year total calcium was 9.4 mg/dL.",
        ),
    ),
    Calculator(
        "creatinine_clearance",
        "the creatinine clearance in mL/min (Cockcroft-Gault, with actual body weight)",
        "Cockcroft DW, Gault MH. Nephron 1976;16:31-41",
        (age(18, 95), SEX, WEIGHT, CREATININE),
        inputs(age="years", weight="kg", creatinine="mg/dL"),
        creatinine_clearance,
        traps=(HEIGHT, POTASSIUM, "Two years ago serum creatinine was 0.9 mg/dL."),
    ),
    Calculator(
        "ckd_epi_2021",
        "the estimated glomerular filtration rate in mL/min per 1.73 m2 (CKD-EPI 2021, creatinine)",
        "Inker LA et al. N Engl J Med 2021;385:1737-1749",
        (age(18, 95), SEX, CREATININE),
        inputs(age="years", creatinine="mg/dL"),
        ckd_epi_2021,
        traps=(WEIGHT, HEIGHT, "Two years ago serum creatinine was 0.9 mg/dL."),
    ),
    Calculator(
        "mean_arterial_pressure",
        "the mean arterial pressure in mmHg (diastolic plus a third of the pulse pressure)",
        "the one-third rule, as in Sesso HD et al. Hypertension 2000;36:801-807",
        (pressure(),),
        inputs(systolic="mmHg", diastolic="mmHg"),
        lambda case: float((case["systolic"] + 2 * case["diastolic"]) / 3),
        traps=(
            PULSE,
            "At {his} last visit blood pressure was 131/82 mmHg.",
            "{His} brother's blood pressure is 150/95 mmHg.",
        ),
    ),
    Calculator(
        "osmolality",
        "the calculated serum osmolality in mOsm/kg (twice sodium, plus glucose, plus urea)",
        "Smithline N, Gardner KD. JAMA 1976;236:1594-1597: 2 Na + glucose / 18 + urea nitrogen / "
        "2.8",
        (SODIUM, GLUCOSE, UREA_NITROGEN),
        inputs(sodium="mmol/L", glucose="mg/dL", urea_nitrogen="mg/dL"),
        lambda case: float(2 * case["sodium"] + case["glucose"] / 18 + case["urea nitrogen"] / 2.8),
        traps=(POTASSIUM, CREATININE, "Urine osmolality is 420 mOsm/kg."),
    ),
    Calculator(
        "qtc",
        "the corrected QT interval in ms (Bazett)",
        "Bazett HC. Heart 1920;7:353-370; as a correction: Taran LM, Szilagyi N. Am Heart J "
        "1947;33:14-26",
        (
            Quantity("QT interval", 300, 520, (Unit("ms"), Unit("s", 3, 0.001))),
            Quantity("heart rate", 40, 150, (Unit("beats per minute"),)),
        ),
        inputs(QT_interval="ms", heart_rate="beats per minute"),
        lambda case: float(case["QT interval"] / math.sqrt(60 / case["heart rate"])),
        traps=(
            Quantity("PR interval", 120, 220, (Unit("ms"),)),
            Quantity("QRS duration", 70, 140, (Unit("ms"),)),
            "At rest last year {his} pulse was 64 beats per minute.",
        ),
    ),
)
