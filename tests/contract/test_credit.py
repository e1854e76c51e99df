"""What every credit method keeps to, however it spreads the rewards."""

from dataclasses import replace
from functools import cache
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from factories import tiny_policy
from rewardscope.credit.generalised import GeneralisedAdvantage
from rewardscope.credit.group_mean import GroupMean
from rewardscope.credit.imitation import Imitation
from rewardscope.credit.implicit_process import ImplicitProcess, Placement
from rewardscope.credit.kl_in_reward import KLInReward
from rewardscope.credit.leave_one_out import LeaveOneOut
from rewardscope.credit.planning import Planning, Where
from rewardscope.credit.reinforce import Reinforce, ReinforcePlusPlus
from rewardscope.credit.self_distillation import SelfDistillation
from rewardscope.credit.signed import Signed
from rewardscope.errors import ComponentError
from rewardscope.learner.learner import Learner
from rewardscope.learner.losses import completion_pull
from rewardscope.policy import Policy
from rewardscope.preference.dpo import DPO
from rewardscope.preference.kto import KTO
from rewardscope.preference.orpo import ORPO
from rewardscope.preference.simpo import SimPO
from rewardscope.protocols import Credit, Preference
from rewardscope.registry import components
from rewardscope.seeds import generator
from rewardscope.tensors import Batch, Signal, Signals, Teaching, TokenCredit

SIBLINGS: list[Credit] = [
    GroupMean(),
    GroupMean(divide_by_std=True),
    LeaveOneOut(),
    ImplicitProcess(),
    KLInReward(),
    Planning(("s",)),
]
"""Methods that compare a completion with its siblings and with nothing else, given neutral signals.
"""
EXAMPLES: list[Credit] = [
    *SIBLINGS,
    Reinforce(),
    Reinforce("batch"),
    ReinforcePlusPlus(),
    ReinforcePlusPlus(group_baseline=True),
    Signed(),
    Signed(1.0, 0.0),
    Signed(0.0, 1.0),
    GeneralisedAdvantage(),
    GeneralisedAdvantage(whiten=False),
    ImplicitProcess("code"),
    *(ImplicitProcess(placement=placement) for placement in get_args(Placement)),
    *(Planning(("s",), where=w) for w in get_args(Where)),
    Planning(("s",), drift="constant"),
    Planning(("s",), base=KLInReward(base=ReinforcePlusPlus())),
    Imitation(0.5),
    Imitation(0.5, distinct=True),
    SelfDistillation(),
    SelfDistillation(over="sampled", mixing=1.0),
    SelfDistillation(over="top", top=2, base=GroupMean()),
    Planning(("s",), base=SelfDistillation(base=GroupMean())),
]
PREFERRED: list[Preference] = [
    DPO(),
    DPO(pairs="one"),
    SimPO(),
    SimPO(pairs="one"),
    ORPO(),
    ORPO(pairs="one"),
    KTO(),
    KTO(undesirable_weight=2.0),
]
each = pytest.mark.parametrize("credit", [*EXAMPLES, *PREFERRED], ids=str)
preferring = pytest.mark.parametrize("credit", PREFERRED, ids=str)
among_siblings = pytest.mark.parametrize("credit", SIBLINGS, ids=str)
NUM_PROBLEMS, GROUP_SIZE, WIDTH = 5, 4, 7
NAN = float("nan")


def drawn() -> tuple[Tensor, Tensor]:
    """Random rewards, some untold, and completions of random length."""
    random = generator("contract", "credit")
    reward_PG = torch.from_numpy(random.random(size=(NUM_PROBLEMS, GROUP_SIZE))).float()
    reward_PG[torch.from_numpy(random.random((NUM_PROBLEMS, GROUP_SIZE)) < 0.2)] = NAN
    length_N = torch.from_numpy(random.integers(1, WIDTH + 1, size=NUM_PROBLEMS * GROUP_SIZE))
    return reward_PG, torch.arange(WIDTH) < length_N[:, None]


def signals(reward_PG: Tensor, mask_NT: Tensor, **given: Any) -> Signals:
    """Signals that say nothing: the reference is the policy, values and implicit rewards are 0, the
    first token plans, and a teacher that knows of every completion thinks all four tokens alike.
    """
    zeros_NT = torch.zeros(mask_NT.shape)
    first_NT = torch.zeros_like(mask_NT)
    first_NT[:, 0] = mask_NT[:, 0]
    alike_NTK = torch.full((*mask_NT.shape, 4), 0.25).log() * mask_NT[:, :, None]
    neutral: dict[str, Any] = {
        "sampler_logprob_NT": zeros_NT,
        "policy_logprob_NT": zeros_NT,
        "reference_logprob_NT": zeros_NT,
        "entropy_NT": zeros_NT,
        "planning_NT": first_NT,
        "value_NT": zeros_NT,
        "implicit_NT": zeros_NT,
        "mismatched_N": zeros_NT[:, 0],
        "token_NT": mask_NT.long() * torch.arange(WIDTH),
        "teaching": Teaching(torch.ones(len(mask_NT), dtype=torch.bool), alike_NTK, None),
    }
    return Signals(
        reward_PG=reward_PG, mask_NT=mask_NT, address=("contract",), **{**neutral, **given}
    )


def random_signals() -> Signals:
    """Signals that say something, all of it drawn."""
    reward_PG, mask_NT = drawn()
    random = generator("contract", "signals")

    def draw() -> Tensor:
        return torch.from_numpy(random.normal(size=tuple(mask_NT.shape))).float() * mask_NT

    planning_NT = (draw() > 0) & mask_NT
    names = (
        "sampler_logprob_NT",
        "policy_logprob_NT",
        "reference_logprob_NT",
        "entropy_NT",
        "value_NT",
        "implicit_NT",
    )
    return signals(
        reward_PG,
        mask_NT,
        planning_NT=planning_NT,
        mismatched_N=draw()[:, 0],
        **{name: draw() for name in names},
    )


def taught(found: TokenCredit) -> Tensor:
    """How much each token is taught, whatever the stream: 0 = nothing."""
    total_NT = found.advantage_NT.abs()
    if found.imitation_NT is not None:
        total_NT = total_NT + found.imitation_NT.abs()
    if found.distillation is not None:
        total_NT = total_NT + found.distillation.teaching.evidence_N[
            :, None
        ] * found.distillation.teaching.logprob_NTK.abs().sum(dim=-1)
    if found.completion_loss is not None:
        zeros_PG = torch.zeros(NUM_PROBLEMS, GROUP_SIZE)
        _, pull_N = completion_pull(
            found.completion_loss, zeros_PG.reshape(-1) - 1, GROUP_SIZE, list(range(NUM_PROBLEMS))
        )
        total_NT = total_NT + pull_N.abs()[:, None] * drawn()[1]
    return total_NT


def advantage(credit: Credit, reward_PG: Tensor, mask_NT: Tensor | None = None) -> Tensor:
    if mask_NT is None:
        mask_NT = torch.ones(reward_PG.numel(), WIDTH, dtype=torch.bool)
    return credit(signals(reward_PG, mask_NT)).advantage_NT


def test_every_method_in_the_tables_has_an_example_here() -> None:
    assert {type(credit) for credit in EXAMPLES} == set(components("credits").values())
    assert {type(credit) for credit in PREFERRED} == set(components("preferences").values())


@each
def test_streams_are_finite_numbers_on_the_mask_and_zero_off_it(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    for found in (credit(signals(reward_PG, mask_NT)), credit(random_signals())):
        assert found.finite_N.all() and found.advantage_NT.shape == mask_NT.shape
        assert (taught(found)[~mask_NT] == 0).all()
        assert taught(found)[mask_NT].sum() > 0
        assert not found.advantage_NT.requires_grad


@each
def test_it_reads_what_it_declares_and_nothing_else(credit: Credit) -> None:
    given = random_signals()
    expected = taught(credit(given))
    undeclared = [name for name in get_args(Signal) if name not in credit.needs]
    torch.testing.assert_close(
        taught(credit(replace(given, **dict.fromkeys(undeclared)))), expected
    )
    for name in credit.needs:
        with pytest.raises(ComponentError, match=name):
            credit(replace(given, **{name: None}))


@each
def test_the_same_signals_give_the_same_credit(credit: Credit) -> None:
    assert torch.equal(taught(credit(random_signals())), taught(credit(random_signals())))


@each
def test_an_untold_completion_teaches_nothing(credit: Credit) -> None:
    untold_N = drawn()[0].reshape(-1).isnan()
    assert untold_N.any()
    assert (taught(credit(random_signals()))[untold_N] == 0).all()


@preferring
def test_the_better_of_two_is_pulled_up_and_the_worse_down(credit: Preference) -> None:
    reward_PG = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    mask_NT = torch.ones(4, WIDTH, dtype=torch.bool)
    found = credit(signals(reward_PG, mask_NT))
    assert (found.advantage_NT == 0).all() and found.completion_loss is not None
    _, pull_N = completion_pull(found.completion_loss, torch.full((4,), -3.0), 2, [0, 1])
    assert (pull_N[[0, 3]] < 0).all() and (
        pull_N[[1, 2]] > 0
    ).all()  # a descent raises the logprob where the derivative is negative


@preferring
def test_a_minibatch_reads_its_own_problems(credit: Preference) -> None:
    found = credit(random_signals()).completion_loss
    assert found is not None
    logprob_N = torch.arange(NUM_PROBLEMS * GROUP_SIZE) / -7 - 1
    whole = completion_pull(found, logprob_N, GROUP_SIZE, list(range(NUM_PROBLEMS)))[1].reshape(
        NUM_PROBLEMS, GROUP_SIZE
    )
    for p in range(NUM_PROBLEMS):
        alone = completion_pull(
            found, logprob_N.reshape(NUM_PROBLEMS, GROUP_SIZE)[p], GROUP_SIZE, [p]
        )[1]
        scale = alone.abs().sum() / whole[p].abs().sum().clamp(
            min=1e-12
        )  # a mean over fewer pairs, and nothing else
        torch.testing.assert_close(alone, whole[p] * scale, atol=1e-6, rtol=1e-4)


@each
def test_a_critic_is_taught_on_told_tokens_alone(credit: Credit) -> None:
    given = random_signals()
    target_NT = credit(given).target_value_NT
    if target_NT is not None:
        assert torch.equal(~target_NT.isnan(), given.mask_NT & ~given.reward_N.isnan()[:, None])


@among_siblings
@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_a_group_of_equal_rewards_teaches_nothing(credit: Credit, value: float) -> None:
    assert (advantage(credit, torch.full((2, GROUP_SIZE), value)) == 0).all()
    assert (advantage(credit, torch.tensor([[value, NAN, value]])) == 0).all()


@among_siblings
def test_an_untold_completion_teaches_nothing_and_does_not_count_for_its_siblings(
    credit: Credit,
) -> None:
    with_untold = advantage(credit, torch.tensor([[1.0, NAN, 0.0, 0.5]]))
    without = advantage(credit, torch.tensor([[1.0, 0.0, 0.5]]))
    assert (with_untold[1] == 0).all()
    torch.testing.assert_close(with_untold[[0, 2, 3]], without)


@among_siblings
def test_a_group_in_which_nobody_or_one_was_told_teaches_nothing(credit: Credit) -> None:
    assert (advantage(credit, torch.tensor([[NAN, NAN], [NAN, 3.0]])) == 0).all()


@among_siblings
def test_the_order_within_a_group_and_of_groups_does_not_matter(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    random = generator("contract", "permutation")
    problems = torch.from_numpy(random.permutation(NUM_PROBLEMS))
    members = torch.from_numpy(random.permutation(GROUP_SIZE))
    rows = (problems[:, None] * GROUP_SIZE + members[None, :]).reshape(-1)
    moved = advantage(credit, reward_PG[problems][:, members], mask_NT[rows])
    torch.testing.assert_close(moved, advantage(credit, reward_PG, mask_NT)[rows])


@among_siblings
def test_groups_do_not_reach_into_each_other(credit: Credit) -> None:
    reward_PG, _ = drawn()
    whole = advantage(credit, reward_PG).reshape(NUM_PROBLEMS, GROUP_SIZE, WIDTH)
    for p in range(NUM_PROBLEMS):
        torch.testing.assert_close(advantage(credit, reward_PG[p : p + 1]), whole[p])


@among_siblings
def test_a_constant_added_to_every_reward_changes_nothing(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    torch.testing.assert_close(
        advantage(credit, reward_PG + 7.0, mask_NT),
        advantage(credit, reward_PG, mask_NT),
        atol=1e-5,
        rtol=1e-4,
    )


@among_siblings
def test_the_better_completion_of_two_gets_the_larger_advantage(credit: Credit) -> None:
    found = advantage(credit, torch.tensor([[0.2, 0.9]]))
    assert (found[1] > 0).all() and (found[0] < 0).all()


@among_siblings
def test_groups_of_one_are_refused(credit: Credit) -> None:
    with pytest.raises(
        ComponentError, match=r"needs groups of 2 or more. Got: reward_PG of shape \(3, 1\)"
    ):
        advantage(credit, torch.zeros(3, 1))


@each
def test_notes_are_numbers_under_the_methods_roof(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    notes = credit(signals(reward_PG, mask_NT)).notes
    assert all(
        name.startswith("credit/") and isinstance(value, float) for name, value in notes.items()
    )


@each
def test_what_was_given_is_left_as_it_was(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    advantage(credit, reward_PG, mask_NT)
    torch.testing.assert_close(reward_PG, drawn()[0], equal_nan=True)
    assert torch.equal(mask_NT, drawn()[1])


@cache
def _blind() -> Policy:
    """A policy whose layers add nothing and stay so: a token is predicted from the one before it
    and from nothing else.
    """
    policy = tiny_policy()
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            parameter.requires_grad_("layers" not in name)
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter.zero_()
    return policy


def episodes(*, told: bool) -> Batch:
    """Drawn completions; where they were told something, each answer ends like the turn before it,
    and so changes no prediction.
    """
    random = generator("contract", "episodes")
    _, mask_NT = drawn()
    token_NT = torch.from_numpy(random.integers(1, 22, size=tuple(mask_NT.shape))) * mask_NT
    place_NT, read = torch.zeros_like(token_NT), []
    for n, length in enumerate(mask_NT.sum(dim=1).tolist()):
        ids: list[int] = []
        for t, token in enumerate(token_NT[n, :length].tolist()):
            place_NT[n, t] = len(ids)
            ids.append(token)
            if told and t % 2 == 1:
                ids += [*random.integers(1, 22, size=int(random.integers(4))).tolist(), token]
        read.append(tuple(ids))
    prompts = tuple((p + 1, p + 2) for p in range(NUM_PROBLEMS))
    sampler_NT = random_signals().sampler_logprob_NT
    assert sampler_NT is not None
    between = {"read_ids": tuple(read), "place_NT": place_NT} if told else {}
    return Batch(prompts, token_NT, mask_NT, sampler_NT, GROUP_SIZE, 1.0, **between)


def moved(credit: Credit | Preference, *, told: bool) -> dict[str, Tensor]:
    """The weights after an update on the method's streams, with every other term of the loss that a
    learner can add.
    """
    policy, batch = _blind().clone(), episodes(told=told)
    learner, optimizer = (
        Learner(kl_weight=0.1, minibatches=2),
        torch.optim.SGD(policy.trainable().values(), lr=1.0),
    )
    given = replace(
        random_signals(), token_NT=batch.token_NT, teaching=_teaching_for(credit, batch)
    )
    learner.update(
        policy, optimizer, batch, credit(given), given.reference_logprob_NT, WIDTH, ("contract",)
    )
    return dict(policy.model.state_dict())


def _teaching_for(credit: Credit | Preference, batch: Batch) -> Teaching:
    """A teacher that says something of the tokens that the method asks about."""
    kept = getattr(credit, "kept", "all")
    size = {"all": 22, "sampled": 1}.get(kept) or min(kept, 22)
    draws_NTK = (
        torch.from_numpy(generator("contract", "teaching").normal(size=(*batch.token_NT.shape, 22)))
        .float()
        .log_softmax(dim=-1)
    )
    kept_NTK = (
        batch.token_NT[:, :, None]
        if kept == "sampled"
        else torch.arange(size).expand(*batch.token_NT.shape, size)
    )
    said_NTK = draws_NTK.gather(2, kept_NTK) * batch.mask_NT[:, :, None]
    return Teaching(
        torch.ones(len(batch.token_NT), dtype=torch.bool),
        said_NTK,
        None if kept == "all" else kept_NTK,
    )


@each
def test_credit_never_touches_a_token_that_the_policy_did_not_choose(
    credit: Credit | Preference,
) -> None:
    """An update on episodes with answers in them is the update on the same episodes with the
    answers cut out.
    """
    with_answers, cut_out = moved(credit, told=True), moved(credit, told=False)
    for name, weights in cut_out.items():
        torch.testing.assert_close(with_answers[name], weights, atol=1e-5, rtol=1e-4)
    start = _blind().model.state_dict()
    assert all((cut_out[name] - start[name]).abs().max() > 1e-3 for name in _blind().trainable())
