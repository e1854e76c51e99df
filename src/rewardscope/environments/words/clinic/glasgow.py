"""The Glasgow Coma Scale: three parts, each in words."""

from collections.abc import Mapping

from rewardscope.environments.words.clinic.calculator import Calculator, Criterion
from rewardscope.environments.words.clinic.findings import Choice
from rewardscope.environments.words.clinic.vocabulary import FEVER, PULSE


def coma_part(name: str, options: Mapping[str, tuple[str, ...]]) -> tuple[Choice, Criterion]:
    """A part of the coma scale, with its options in falling order down to 1 point."""
    best = len(options)
    scale = {option: best - rank for rank, option in enumerate(options)}
    return Choice(name, options), Criterion(
        name, lambda case: scale[case[name]], tuple(range(best, 0, -1))
    )


EYES = coma_part(
    "eye opening",
    {
        "spontaneous": (
            "{His} eyes are open spontaneously.",
            "{He} looks around with open eyes.",
            "The eyes open without any stimulus.",
        ),
        "to sound": (
            "{He} opens {his} eyes when spoken to.",
            "The eyes open to a loud voice.",
            "Eye opening occurs on request only.",
        ),
        "to pressure": (
            "{He} opens {his} eyes only to a painful stimulus.",
            "The eyes open to nail-bed pressure only.",
            "Eye opening needs a painful pinch.",
        ),
        "none": (
            "{He} does not open {his} eyes at all.",
            "The eyes stay closed to any stimulus.",
            "No stimulus makes the eyes open.",
        ),
    },
)
SPEECH = coma_part(
    "verbal response",
    {
        "orientated": (
            "{He} knows who and where {he} is and what month it is.",
            "{He} answers fully orientated.",
            "{He} gives {his} name, the place and the date correctly.",
        ),
        "confused": (
            "{He} speaks in sentences but is confused.",
            "{He} converses but does not know where {he} is.",
            "{His} sentences are coherent but disorientated.",
        ),
        "words": (
            "{He} utters single words without a sentence.",
            "{His} speech is inappropriate isolated words.",
            "Only unconnected words can be understood.",
        ),
        "sounds": (
            "{He} only moans.",
            "{He} makes incomprehensible sounds.",
            "Groans but no words are heard.",
        ),
        "none": ("{He} makes no sound.", "There is no verbal response.", "Nothing is uttered."),
    },
)
MOTION = coma_part(
    "motor response",
    {
        "obeys": (
            "{He} obeys commands.",
            "{He} squeezes a hand when asked to.",
            "Simple orders are carried out.",
        ),
        "localises": (
            "{He} localises a painful stimulus.",
            "{He} brings a hand up to the site of the pain.",
            "The hand reaches for the place that is pinched.",
        ),
        "normal flexion": (
            "{He} withdraws the arm from pain in normal flexion.",
            "To pain the arm pulls away rapidly.",
            "Pain makes {him} withdraw.",
        ),
        "abnormal flexion": (
            "To pain {he} shows abnormal flexion.",
            "{He} responds to pain with decorticate posturing.",
            "Pain makes the arms flex slowly and stiffly, abnormally.",
        ),
        "extension": (
            "To pain {he} extends the arms.",
            "{He} responds to pain with decerebrate posturing.",
            "Pain makes the arms stretch out and extend.",
        ),
        "none": (
            "There is no motor response to pain.",
            "{He} does not move to any stimulus.",
            "No stimulus makes {him} move.",
        ),
    },
)

GLASGOW = Calculator(
    "glasgow",
    "the total of the Glasgow Coma Scale",
    "Teasdale G, Jennett B. Lancet 1974;2:81-84; Teasdale G et al. Lancet Neurol 2014;13:844-854",
    (EYES[0], SPEECH[0], MOTION[0]),
    (EYES[1], SPEECH[1], MOTION[1]),
    traps=(
        PULSE,
        FEVER,
        "Both pupils react to light.",
        "Last year {his} coma scale total was 15 after a fall.",
    ),
)
