"""Charlson's comorbidity index with its age points: nineteen illnesses, of which three pairs exclude each other."""

from rewardscope.environments.clinic.calculator import Calculator, Criterion, points
from rewardscope.environments.clinic.findings import Choice, Flag, age, history

ILLNESSES: tuple[tuple[Flag, float], ...] = (
    (
        history(
            "myocardial infarction",
            "myocardial infarction",
            "a heart attack in 2015",
            "an old myocardial infarction",
            "an infarction of the heart",
        ),
        1,
    ),
    (history("heart failure", "heart failure", "congestive heart failure", "heart failure on diuretics", "chronic cardiac failure"), 1),
    (
        history(
            "peripheral vascular disease",
            "peripheral vascular disease",
            "intermittent claudication",
            "peripheral artery disease",
            "bypass surgery of a leg artery",
        ),
        1,
    ),
    (
        history(
            "cerebrovascular disease",
            "cerebrovascular disease",
            "a transient ischaemic attack",
            "a stroke without residual paralysis",
            "a minor stroke",
        ),
        1,
    ),
    (history("dementia", "dementia", "Alzheimer dementia", "vascular dementia", "a chronic dementia"), 1),
    (
        history(
            "chronic lung disease",
            "chronic lung disease",
            "chronic obstructive pulmonary disease",
            "emphysema",
            "chronic obstructive bronchitis",
        ),
        1,
    ),
    (
        history(
            "connective tissue disease", "connective tissue disease", "systemic lupus erythematosus", "rheumatoid arthritis", "polymyositis"
        ),
        1,
    ),
    (history("ulcer disease", "peptic ulcer", "a duodenal ulcer that was treated", "peptic ulcer disease", "a bleeding gastric ulcer"), 1),
    (history("hemiplegia", "hemiplegia", "hemiplegia of the left side", "paraplegia", "a right-sided hemiplegia"), 2),
    (history("kidney disease", "chronic kidney disease", "kidney failure on dialysis", "a kidney transplant", "uraemia"), 2),
    (history("leukaemia", "leukaemia", "chronic lymphocytic leukaemia", "acute myeloid leukaemia", "chronic myeloid leukaemia"), 2),
    (history("lymphoma", "lymphoma", "Hodgkin lymphoma", "follicular lymphoma", "non-Hodgkin lymphoma"), 2),
    (history("AIDS", "AIDS", "AIDS with pneumocystis pneumonia", "AIDS", "AIDS with Kaposi sarcoma"), 6),
)
"""Illnesses that stand for themselves, and their points."""


def _graded(name: str, denied: str, low: Flag, high: Flag) -> Choice:
    """An illness that is absent, in its lower grade or in its higher one, which replaces the lower."""
    absent = history(name, denied).absent
    return Choice(name, {"none": absent, "low": low.present, "high": high.present}, none="none")


GRADED: tuple[tuple[Choice, float, float], ...] = (
    (
        _graded(
            "liver disease",
            "liver disease",
            history("", "", "chronic hepatitis B without cirrhosis", "cirrhosis without portal hypertension", "chronic hepatitis"),
            history(
                "",
                "",
                "cirrhosis with portal hypertension",
                "cirrhosis with portal hypertension and bleeding varices",
                "portal hypertension from cirrhosis",
            ),
        ),
        1,
        3,
    ),
    (
        _graded(
            "diabetes",
            "diabetes",
            history(
                "", "", "type 2 diabetes without complications", "uncomplicated diabetes on metformin", "diabetes free of complications"
            ),
            history("", "", "diabetes with retinopathy", "diabetes with neuropathy", "diabetes with damage to the kidneys"),
        ),
        1,
        2,
    ),
    (
        _graded(
            "solid tumour",
            "solid tumours",
            history(
                "",
                "",
                "breast cancer two years ago without metastases",
                "localised colon cancer treated last year",
                "a lung tumour that has not spread",
            ),
            history("", "", "colon cancer with liver metastases", "metastatic lung cancer", "a breast tumour with bone metastases"),
        ),
        2,
        6,
    ),
)
"""Illnesses whose graver form replaces the milder one, and the points of both."""


def graded_points(name: str, low: float, high: float) -> Criterion:
    """The points of a graded illness."""
    scale = {"none": 0, "low": low, "high": high}
    return Criterion(name, lambda case: scale[case[name]], (0, low, high))


CHARLSON = Calculator(
    "charlson",
    "the Charlson comorbidity index with its points for age",
    "Charlson ME et al. J Chronic Dis 1987;40:373-383; age: Charlson M et al. J Clin Epidemiol 1994;47:1245-1251",
    (*(flag for flag, _ in ILLNESSES), *(choice for choice, _, _ in GRADED), age(35, 89, 49, 50, 60, 70, 80)),
    (
        *(points(flag.name, number) for flag, number in ILLNESSES),
        *(graded_points(choice.name, low, high) for choice, low, high in GRADED),
        Criterion("age", lambda case: max(0, case["age"] // 10 - 4), (0, 1, 2, 3, 4)),
    ),
    traps=("{His} mother had leukaemia.", "{His} brother has diabetes with retinopathy.", "{He} had a skin mole removed that was benign."),
    prevalence=0.3,
    denied=0.15,
)
