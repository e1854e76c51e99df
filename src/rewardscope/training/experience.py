"""The bank in a run: filled before step 0, recalled into prompts, written to as the policy goes
on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rewardscope.experience import Ask, BankState, category_of
from rewardscope.policy import Policy, Sampling
from rewardscope.protocols import Environment, Sampler
from rewardscope.rewards import tell
from rewardscope.seeds import Address, key
from rewardscope.store import CellDirectory, write_rollouts
from rewardscope.training.arm import Arm
from rewardscope.training.groups import roll_out
from rewardscope.types import Problem, Rollout

EVOLVE = "evolve"
Recalled = list[tuple[str, ...]]


@dataclass(frozen=True)
class PolicyReader:
    """A policy as a reader of what a bank would put before it."""

    policy: Policy

    @cached_property
    def _structure(self) -> frozenset[int]:
        """Tokens that are no text: those that the tokenizer or the model set apart."""
        tokenizer = self.policy.tokenizer
        return frozenset(
            {*tokenizer.added_tokens_decoder, *tokenizer.all_special_ids, *self.policy.end_ids}
        )

    def tokens(self, prompt: str) -> int:
        """Tokens of the prompt as the policy meets it."""
        return len(self.policy.encode(prompt))

    def plain(self, text: str) -> bool:
        """Whether none of the text's tokens ends or structures a prompt, or stands for the
        unknown.
        """
        return self._structure.isdisjoint(
            self.policy.tokenizer(text, add_special_tokens=False)["input_ids"]
        )


def begin_bank(
    arm: Arm, seed: int, policy: Policy, sampler: Sampler, cell: CellDirectory, done: int
) -> BankState | None:
    """The arm's bank after ``done`` steps: from the checkpoint, or filled by the untrained policy;
    None for an arm without one.

    Raises:
        CheckpointError: If the checkpoint lacks it.
    """
    if arm.bank is None:
        return None
    if done:
        return BankState.load(arm.bank, cell.checkpoint(done))
    bank = BankState(arm.bank)
    if arm.bank.first_problems:
        _attempt(
            arm, bank, seed, policy, sampler, cell, 0, arm.bank.first_problems, weak_only=False
        )
    return bank


def recalled(
    bank: BankState | None,
    environment: Environment,
    policy: Policy,
    problems: Sequence[Problem],
    addresses: Sequence[tuple[Address, ...]],
) -> Recalled:
    """What stands before each problem; nothing without a bank."""
    if bank is None:
        return [()] * len(problems)
    reader = PolicyReader(policy)
    return [
        bank.recalled(problem.prompt, category_of(environment, problem.prompt), reader, address)
        for problem, address in zip(problems, addresses, strict=True)
    ]


def emptied(bank: BankState, policy: Policy, problems: Sequence[Problem]) -> Recalled:
    """The block with filler in the place of every entry, at the same number of tokens."""
    reader = PolicyReader(policy)
    return [bank.settings.block.pieces((), problem.prompt, reader) for problem in problems]


def swapped(
    bank: BankState,
    environment: Environment,
    policy: Policy,
    problems: Sequence[Problem],
    addresses: Sequence[tuple[Address, ...]],
) -> Recalled:
    """What the bank would recall if each problem were of the next category; filler where there is
    no other.
    """
    reader, block, found = PolicyReader(policy), bank.settings.block, []
    for problem, address in zip(problems, addresses, strict=True):
        other = bank.known.after(category_of(environment, problem.prompt))
        found.append(
            block.pieces((), problem.prompt, reader)
            if other is None
            else bank.recalled(problem.prompt, other, reader, address)
        )
    return found


def learn(
    arm: Arm,
    bank: BankState,
    seed: int,
    policy: Policy,
    sampler: Sampler,
    cell: CellDirectory,
    step: int,
    told: Sequence[Rollout],
) -> None:
    """What the bank takes from a finished step: its groups, where it reads training, and, when it
    is time, the split ``evolve``.

    Args:
        arm: Whose bank it is.
        bank: Written to.
        seed: The replicate's.
        policy: After the step.
        sampler: Writes with the weights after the step.
        cell: Where the attempts on the split ``evolve`` go.
        step: Number of updates behind the policy.
        told: The step's groups.
    """
    assert arm.bank is not None
    if arm.bank.from_training:
        bank.absorb(
            told,
            arm.environment,
            PolicyReader(policy),
            _asking(arm, sampler, ("train", seed, step)),
            step,
        )
    if arm.bank.evolve_every and step % arm.bank.evolve_every == 0:
        _attempt(
            arm, bank, seed, policy, sampler, cell, step, arm.bank.evolve_problems, weak_only=True
        )


def _attempt(
    arm: Arm,
    bank: BankState,
    seed: int,
    policy: Policy,
    sampler: Sampler,
    cell: CellDirectory,
    step: int,
    count: int,
    *,
    weak_only: bool,
) -> None:
    """Attempts problems of the split ``evolve`` with what is recalled, tells, writes to disk, then
    files.
    """
    first = key(EVOLVE, seed, step) % 2**40
    problems = [arm.environment.problem(EVOLVE, first + place) for place in range(count)]
    addresses: list[tuple[Address, ...]] = [(EVOLVE, seed, step, place) for place in range(count)]
    before = recalled(bank, arm.environment, policy, problems, addresses)
    groups = roll_out(
        sampler,
        arm.environment,
        problems,
        bank.settings.draws,
        arm.sampling,
        step,
        addresses,
        before,
    )
    told = [
        tell(arm.reward, group, address) for group, address in zip(groups, addresses, strict=True)
    ]
    write_rollouts(cell.step_file(EVOLVE, step), told)
    ask = _asking(arm, sampler, (EVOLVE, seed, step))
    bank.absorb(told, arm.environment, PolicyReader(policy), ask, step, weak_only=weak_only)


def _asking(arm: Arm, sampler: Sampler, address: tuple[Address, ...]) -> Ask:
    """The policy as a writer: one completion per prompt, as the arm samples."""

    def ask(prompts: Sequence[str], max_tokens: int) -> list[str]:
        sampling: Sampling = replace(arm.sampling, max_tokens=max_tokens, stop=())
        addresses: list[tuple[Address, ...]] = [
            (*address, "ask", place) for place in range(len(prompts))
        ]
        return [group[0].text for group in sampler.sample(prompts, 1, sampling, addresses)]

    return ask
