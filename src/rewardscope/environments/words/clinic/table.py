"""Every calculator: adding one is an entry here and nothing elsewhere."""

from rewardscope.environments.words.clinic.calculator import Calculator
from rewardscope.environments.words.clinic.charlson import CHARLSON
from rewardscope.environments.words.clinic.circulation import ABCD2, CHA2DS2_VA, HAS_BLED, TIMI
from rewardscope.environments.words.clinic.formulas import FORMULAS
from rewardscope.environments.words.clinic.glasgow import GLASGOW
from rewardscope.environments.words.clinic.infection import CENTOR, CURB65, QSOFA
from rewardscope.environments.words.clinic.thrombosis import PERC, WELLS_DVT, WELLS_PE

CALCULATORS: dict[str, Calculator] = {
    calculator.name: calculator
    for calculator in (
        *(
            CURB65,
            QSOFA,
            CENTOR,
            WELLS_PE,
            WELLS_DVT,
            PERC,
            HAS_BLED,
            CHA2DS2_VA,
            GLASGOW,
            CHARLSON,
            ABCD2,
            TIMI,
        ),
        *FORMULAS,
    )
}
"""Twelve scores and eight formulas, by name."""
