"""Charlson's comorbidity index with its age points: nineteen illnesses, six of which are a milder
and a graver form of one another.
"""

from rewardscope.environments.words.clinic.calculator import Calculator, Criterion, points
from rewardscope.environments.words.clinic.findings import HISTORY, Choice, age

ILLNESSES: dict[str, tuple[float, tuple[str, ...]]] = {
    "myocardial infarction": (
        1,
        ("a heart attack in 2015", "an old myocardial infarction", "an infarction of the heart"),
    ),
    "heart failure": (
        1,
        ("congestive heart failure", "heart failure on diuretics", "chronic cardiac failure"),
    ),
    "peripheral vascular disease": (
        1,
        (
            "intermittent claudication",
            "peripheral artery disease",
            "bypass surgery of a leg artery",
        ),
    ),
    "cerebrovascular disease": (
        1,
        ("a transient ischaemic attack", "a stroke without residual paralysis", "a minor stroke"),
    ),
    "dementia": (1, ("Alzheimer dementia", "vascular dementia", "dementia with Lewy bodies")),
    "chronic lung disease": (
        1,
        ("chronic obstructive pulmonary disease", "emphysema", "chronic obstructive bronchitis"),
    ),
    "connective tissue disease": (
        1,
        ("systemic lupus erythematosus", "rheumatoid arthritis", "polymyositis"),
    ),
    "peptic ulcer": (
        1,
        ("a duodenal ulcer that was treated", "peptic ulcer disease", "a bleeding gastric ulcer"),
    ),
    "hemiplegia": (2, ("hemiplegia of the left side", "paraplegia", "a right-sided hemiplegia")),
    "kidney disease": (2, ("kidney failure on dialysis", "a kidney transplant", "uraemia")),
    "leukaemia": (
        2,
        ("chronic lymphocytic leukaemia", "acute myeloid leukaemia", "chronic myeloid leukaemia"),
    ),
    "lymphoma": (2, ("Hodgkin lymphoma", "follicular lymphoma", "non-Hodgkin lymphoma")),
    "AIDS": (6, ("AIDS with pneumocystis pneumonia", "AIDS", "AIDS with toxoplasmosis")),
}
"""Illnesses that stand for themselves: their points and terms; the name is what is denied, and the
last term is held out.
"""
GRADED: dict[str, tuple[tuple[float, tuple[str, ...]], tuple[float, tuple[str, ...]]]] = {
    "liver disease": (
        (
            1,
            (
                "chronic hepatitis B without cirrhosis",
                "cirrhosis without portal hypertension",
                "chronic hepatitis",
            ),
        ),
        (
            3,
            (
                "cirrhosis with portal hypertension",
                "cirrhosis with bleeding varices",
                "portal hypertension from cirrhosis",
            ),
        ),
    ),
    "diabetes": (
        (
            1,
            (
                "type 2 diabetes without complications",
                "uncomplicated diabetes on metformin",
                "diabetes free of complications",
            ),
        ),
        (
            2,
            (
                "diabetes with retinopathy",
                "diabetes with neuropathy",
                "diabetes with damage to the retina",
            ),
        ),
    ),
    "solid tumour": (
        (
            2,
            (
                "breast cancer two years ago without metastases",
                "localised colon cancer last year",
                "a lung tumour that has not spread",
            ),
        ),
        (
            6,
            (
                "colon cancer with liver metastases",
                "metastatic lung cancer",
                "a breast tumour with bone metastases",
            ),
        ),
    ),
}
"""Illnesses whose graver form replaces the milder one: points and terms of both."""


def _graded(name: str) -> tuple[Choice, Criterion]:
    (low, mild), (high, grave) = GRADED[name]
    scale = {"none": 0, "low": low, "high": high}
    wordings = {
        "none": HISTORY.denied(name),
        "low": HISTORY.found(*mild),
        "high": HISTORY.found(*grave),
    }
    return Choice(name, wordings, none="none"), Criterion(
        name, lambda case: scale[case[name]], tuple(scale.values())
    )


CHARLSON = Calculator(
    "charlson",
    "the Charlson comorbidity index with its points for age",
    "Charlson ME et al. J Chronic Dis 1987;40:373-383; age: Charlson M et al. J Clin Epidemiol "
    "1994;47:1245-1251",
    (
        *(HISTORY.flag(name, name, *terms) for name, (_, terms) in ILLNESSES.items()),
        *(_graded(name)[0] for name in GRADED),
        age(35, 89, 49, 50, 60, 70, 80),
    ),
    (
        *(points(name, number) for name, (number, _) in ILLNESSES.items()),
        *(_graded(name)[1] for name in GRADED),
        Criterion("age", lambda case: max(0, case["age"] // 10 - 4), (0, 1, 2, 3, 4)),
    ),
    traps=(
        "{His} mother had leukaemia.",
        "{His} brother has diabetes with retinopathy.",
        "{He} had a skin mole removed that was benign.",
    ),
    prevalence=0.3,
    denied=0.15,
)
"""Weights of 1987; a point for each decade from 50 on, as of 1994: 50 years are 1 point (some
programs start at 51).
"""
