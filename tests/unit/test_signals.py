"""Signals: a table of ours, and those that a credit method from outside brings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, get_args

import pytest
import torch
from torch import Tensor

from factories import SMALL_ARM, timeless_steps
from rewardscope import Coin, GroupMean, KLInReward, Learner, Planning, Reprompt, SelfDistillation
from rewardscope import Teacher as TeacherSettings
from rewardscope.credit.base import spread
from rewardscope.credit.self_distillation import Lesson
from rewardscope.errors import ComponentError, TruthSealed
from rewardscope.protocols import Credit, Maker, asked, makers_of
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.tensors import Signal, Signals, TokenCredit
from rewardscope.training import SIGNALS, SignalContext, train


def brevity_N(context: SignalContext) -> Tensor:
    """1 over the tokens of each completion; reads what any maker may."""
    assert [len(view.completions) for view in context.rollouts] == [3, 3]
    assert context.reward_PG.shape == (2, 3)
    return 1 / context.batch.mask_NT.sum(dim=1).clamp(min=1)


def peeking(context: SignalContext) -> Tensor:
    return torch.tensor([float(view.problem.answer) for view in context.rollouts])


def nothing(context: SignalContext) -> Tensor:
    return "no tensor"  # type: ignore[return-value]


@dataclass(frozen=True)
class Brief:
    """A guest: the group's centred reward, times a signal that it brings."""

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset({"brevity_N", "entropy_NT"})
    makers: ClassVar[Mapping[str, Maker]] = {"brevity_N": brevity_N}

    def __call__(self, signals: Signals) -> TokenCredit:
        brevity_N = signals.ask("brevity_N", "Brief")
        entropy_NT = signals.ask("entropy_NT", "Brief")
        reward_PG = signals.reward_PG - signals.reward_PG.mean(dim=1, keepdim=True)
        advantage_NT = spread(reward_PG, signals.mask_NT) * brevity_N[:, None]
        notes = {
            "credit/brevity": float(brevity_N.mean()),
            "credit/entropy": float(entropy_NT.sum() / signals.mask_NT.sum()),
        }
        return TokenCredit(advantage_NT, notes)


@dataclass(frozen=True)
class Peeking(Brief):
    makers: ClassVar[Mapping[str, Maker]] = {"brevity_N": peeking}


@dataclass(frozen=True)
class Empty(Brief):
    makers: ClassVar[Mapping[str, Maker]] = {"brevity_N": nothing}


ARM = replace(SMALL_ARM, steps=2, problems_per_step=2, reward=Coin())


def test_the_table_makes_every_signal_that_has_a_field_and_no_other() -> None:
    assert tuple(SIGNALS) == get_args(Signal)
    assert set(SIGNALS) <= set(Signals.__dataclass_fields__)


@pytest.mark.parametrize(
    "credit",
    [Brief(), Planning(("s",), base=Brief()), KLInReward(base=Brief(), weight=0.1)],
    ids=["alone", "in planning", "in a KL penalty"],
)
def test_a_guests_own_signal_reaches_it_alone_or_wrapped(credit: Credit, tmp_path: Path) -> None:
    arm = replace(ARM, credit=credit)
    cell = CellDirectory(tmp_path)
    train(arm, 0, cell, lambda done: None)
    rows = cell.steps()
    for step, row in enumerate(rows):
        lengths = [
            completion.length
            for rollout in read_rollouts(cell.step_file("rollouts", step))
            for completion in rollout.completions
        ]
        expected = sum(1 / length for length in lengths) / len(lengths)
        assert row["credit/brevity"] == pytest.approx(expected, rel=1e-5)
        assert row["credit/entropy"] == pytest.approx(row["entropy_mean_nats"], rel=1e-4)


def test_a_signal_of_a_method_that_does_not_read_the_key_cannot_read_it(tmp_path: Path) -> None:
    with pytest.raises(TruthSealed):
        train(replace(ARM, credit=Peeking()), 0, CellDirectory(tmp_path), lambda done: None)


def test_a_maker_that_makes_no_tensor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ComponentError, match=r"brings a signal that is not a tensor\. Got: brevity_N"
    ):
        train(replace(ARM, credit=Empty()), 0, CellDirectory(tmp_path), lambda done: None)


def test_a_signal_that_nobody_makes_is_refused_before_anything_runs() -> None:
    @dataclass(frozen=True)
    class Misspelt(Brief):
        needs: ClassVar[frozenset[str]] = frozenset({"brevety_N"})

    @dataclass(frozen=True)
    class Taking(Brief):
        makers: ClassVar[Mapping[str, Maker]] = {"entropy_NT": brevity_N}

    with pytest.raises(ComponentError, match=r"a signal without a maker\. Got: needs=.*brevety_N"):
        replace(ARM, credit=Misspelt())
    with pytest.raises(ComponentError, match=r"under a name that is taken\. Got: entropy_NT"):
        replace(ARM, credit=Taking())


def test_a_wrapper_passes_on_what_is_asked_and_brought_and_the_outer_one_wins() -> None:
    lesson = Lesson(Reprompt(), 3)
    taught = SelfDistillation(over="top", top=3, base=Planning(("inner",), base=Brief()))
    outer = Planning(("outer",), base=KLInReward(base=taught))
    assert asked(outer) == {"planning_NT": ("outer",), "teaching": lesson}
    assert asked(taught) == {"planning_NT": ("inner",), "teaching": lesson}
    assert makers_of(outer) == {"brevity_N": brevity_N}
    assert asked(GroupMean()) == makers_of(GroupMean()) == asked(None) == {}


def test_a_method_that_does_not_say_how_its_signal_is_made_is_told_so(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Mute:
        uses_truth: ClassVar[bool] = False
        needs: ClassVar[frozenset[str]] = frozenset({"planning_NT"})

        def __call__(self, signals: Signals) -> TokenCredit:
            raise AssertionError("never reached")

    with pytest.raises(
        ComponentError, match=r"Mute needs the signal planning_NT, but has no settings"
    ):
        train(replace(ARM, credit=Mute()), 0, CellDirectory(tmp_path), lambda done: None)


def test_planning_around_a_teacher_has_both_signals(tmp_path: Path) -> None:
    reprompt = Reprompt(template="{solution}{prompt}", solution_section="{solution}")
    credit = Planning(("s", "g"), base=SelfDistillation(reprompt, base=GroupMean()))
    arm = replace(ARM, credit=credit, learner=Learner(teacher=TeacherSettings()))
    cell = CellDirectory(tmp_path)
    train(arm, 0, cell, lambda done: None)
    for row in timeless_steps(cell):
        assert row["credit/gained_share"] > 0
        assert 0 <= row["credit/taught_share"] <= 1
