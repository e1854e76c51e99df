"""Every calculator: adding one is an entry here and nothing elsewhere."""

from rewardscope.environments.clinic.calculator import Calculator
from rewardscope.environments.clinic.charlson import CHARLSON
from rewardscope.environments.clinic.circulation import ABCD2, CHA2DS2_VA, HAS_BLED, TIMI
from rewardscope.environments.clinic.formulas import FORMULAS
from rewardscope.environments.clinic.glasgow import GLASGOW
from rewardscope.environments.clinic.infection import CENTOR, CURB65, QSOFA
from rewardscope.environments.clinic.thrombosis import PERC, WELLS_DVT, WELLS_PE

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
