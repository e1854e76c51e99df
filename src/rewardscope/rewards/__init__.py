"""What the learner is told."""

from rewardscope.rewards.base import Reward, tell
from rewardscope.rewards.calibrated import Calibrated
from rewardscope.rewards.coin import Coin
from rewardscope.rewards.constant import Constant
from rewardscope.rewards.form import Form
from rewardscope.rewards.formed import FormPlusTruth, FormTimesTruth
from rewardscope.rewards.inverted import Inverted
from rewardscope.rewards.majority import Majority
from rewardscope.rewards.mislabelled import Mislabelled
from rewardscope.rewards.noisy import Noisy
from rewardscope.rewards.overlong import Overlong
from rewardscope.rewards.process import Process
from rewardscope.rewards.proxy import Proxy
from rewardscope.rewards.truth import Truth

REWARDS: dict[str, type[Reward]] = {
    cls.__name__: cls
    for cls in (
        *(Truth, Coin, Inverted, Form, Constant, Majority, Noisy, Mislabelled),
        *(FormTimesTruth, FormPlusTruth, Overlong, Process, Proxy, Calibrated),
    )
}
"""Every reward scheme there is, by name."""

__all__ = [
    "REWARDS",
    "Calibrated",
    "Coin",
    "Constant",
    "Form",
    "FormPlusTruth",
    "FormTimesTruth",
    "Inverted",
    "Majority",
    "Mislabelled",
    "Noisy",
    "Overlong",
    "Process",
    "Proxy",
    "Reward",
    "Truth",
    "tell",
]
