"""Findings and traps that several calculators share."""

from rewardscope.environments.words.clinic.findings import HISTORY, SYMPTOM, Flag, Quantity, Unit

PER_MINUTE = (Unit("breaths per minute"),)
BEATS = (Unit("beats per minute"),)
TEMPERATURE = (Unit("°C", 1), Unit("°F", 1, 1.8, 32))
UREA = (Unit("mmol/L", 1), Unit("mg/dL", factor=2.8, called="blood urea nitrogen"))
PULSE = Quantity("pulse", 55, 98, BEATS)
FEVER = Quantity("temperature", 36, 40, TEMPERATURE, called="body temperature")
BREATHING = Quantity("respiratory rate", 12, 20, PER_MINUTE)
LACTATE = Quantity("lactate", 0.6, 6, (Unit("mmol/L", 1),), called="serum lactate")

CLOT = HISTORY.flag(
    "previous thrombosis",
    "deep vein thrombosis or pulmonary embolism",
    "a deep vein thrombosis confirmed by ultrasound four years ago",
    "a pulmonary embolism six years ago",
    "a deep vein thrombosis seen on venography nine years ago",
)
BLOOD = SYMPTOM.flag(
    "haemoptysis",
    "haemoptysis",
    "haemoptysis",
    "coughing up blood",
    "blood-streaked sputum since this morning",
)
CANCER = Flag(
    "malignancy",
    (
        "{He} receives chemotherapy for colon cancer.",
        "{He} is in palliative care for pancreatic cancer.",
        "Lung cancer was treated with radiotherapy two months ago.",
    ),
    ("{He} has never had cancer.", "There is no known malignancy.", "No cancer is known."),
)
DIABETES = HISTORY.flag(
    "diabetes",
    "diabetes mellitus",
    "type 2 diabetes",
    "type 1 diabetes",
    "insulin-treated diabetes mellitus",
)
FAMILY_CLOT = "{His} sister had a pulmonary embolism after a flight."
OLD_SURGERY = "{He} had {his} gallbladder removed three years ago."
SKIN = "A mole was removed and turned out to be benign."
