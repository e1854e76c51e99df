"""The bank in a run: filled before step 0, recalled into prompts, extended during training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rewardscope.experience import Ask, BankState, category_of
from rewardscope.policy import Policy, Sampling
from rewardscope.protocols import Environment, Sampler
from rewardscope.rewards import Memory, tell
from rewardscope.seeds import Address, key
from rewardscope.store import CellDirectory, write_rollouts
from rewardscope.training.arm import Arm
from rewardscope.training.groups import roll_out
from rewardscope.types import Problem, Rollout

EVOLVE = "evolve"
Recalled = list[tuple[str, ...]]


@dataclass(frozen=True)
class PolicyReader:
    """A policy as a reader of the text that a bank recalls."""

    policy: Policy

    @cached_property
    def _structure(self) -> frozenset[int]:
        """Tokens that are not text: the special tokens of the tokenizer and the model."""
        tokenizer = self.policy.tokenizer
        return frozenset(
            {*tokenizer.added_tokens_decoder, *tokenizer.all_special_ids, *self.policy.end_ids}
        )

    def tokens(self, prompt: str) -> int:
        """Number of tokens of the prompt as the policy reads it."""
        return len(self.policy.encode(prompt))

    def plain(self, text: str) -> bool:
        """Whether no token of the text ends or structures a prompt, or is the unknown token."""
        return self._structure.isdisjoint(
            self.policy.tokenizer(text, add_special_tokens=False)["input_ids"]
        )


def begin_bank(
    arm: Arm,
    seed: int,
    policy: Policy,
    sampler: Sampler,
    memory: Memory,
    cell: CellDirectory,
    done: int,
) -> BankState | None:
    """The arm's bank after ``done`` steps, from the checkpoint or filled by the untrained policy;
    None for an arm without a bank.

    Raises:
        CheckpointError: If the checkpoint lacks the bank.
    """
    if arm.bank is None:
        return None
    if done:
        return BankState.load(arm.bank, cell.checkpoint(done))
    bank = BankState(arm.bank)
    if arm.bank.first_problems:
        _attempt(
            arm,
            bank,
            seed,
            policy,
            sampler,
            memory,
            cell,
            0,
            arm.bank.first_problems,
            weak_only=False,
        )
    return bank


def recalled(
    bank: BankState | None,
    environment: Environment,
    policy: Policy,
    problems: Sequence[Problem],
    addresses: Sequence[tuple[Address, ...]],
) -> Recalled:
    """The pieces to put before each problem; none without a bank."""
    if bank is None:
        return [()] * len(problems)
    reader = PolicyReader(policy)
    return [
        bank.recalled(problem.prompt, category_of(environment, problem.prompt), reader, address)
        for problem, address in zip(problems, addresses, strict=True)
    ]


def emptied(bank: BankState, policy: Policy, problems: Sequence[Problem]) -> Recalled:
    """The block with filler instead of entries, at the same number of tokens."""
    reader = PolicyReader(policy)
    return [bank.settings.block.pieces((), problem.prompt, reader) for problem in problems]


def swapped(
    bank: BankState,
    environment: Environment,
    policy: Policy,
    problems: Sequence[Problem],
    addresses: Sequence[tuple[Address, ...]],
) -> Recalled:
    """The entries the bank would recall if each problem had the next category; filler if there is
    no other.
    """
    reader, block, blocks = PolicyReader(policy), bank.settings.block, []
    for problem, address in zip(problems, addresses, strict=True):
        other = bank.known.after(category_of(environment, problem.prompt))
        blocks.append(
            block.pieces((), problem.prompt, reader)
            if other is None
            else bank.recalled(problem.prompt, other, reader, address)
        )
    return blocks


def learn(
    arm: Arm,
    bank: BankState,
    seed: int,
    policy: Policy,
    sampler: Sampler,
    memory: Memory,
    cell: CellDirectory,
    step: int,
    told: Sequence[Rollout],
) -> None:
    """Extends the bank after a step: from the step's groups if it reads training, and from the
    split ``evolve`` when that is due.

    Args:
        arm: The bank's arm.
        bank: Extended in place.
        seed: Of the replicate.
        policy: After the step.
        sampler: Samples with the weights after the step.
        memory: The state of the arm's reward, which rewards the attempts.
        cell: Stores the attempts on the split ``evolve``.
        step: Number of updates so far.
        told: The step's groups, with rewards.
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
            arm,
            bank,
            seed,
            policy,
            sampler,
            memory,
            cell,
            step,
            arm.bank.evolve_problems,
            weak_only=True,
        )


def _attempt(
    arm: Arm,
    bank: BankState,
    seed: int,
    policy: Policy,
    sampler: Sampler,
    memory: Memory,
    cell: CellDirectory,
    step: int,
    count: int,
    *,
    weak_only: bool,
) -> None:
    """Attempts problems of the split ``evolve`` with recall, rewards and stores the attempts, then
    files notes on them.
    """
    first = key(EVOLVE, seed, step) % 2**40
    problems = [arm.environment.problem(EVOLVE, first + index) for index in range(count)]
    addresses: list[tuple[Address, ...]] = [(EVOLVE, seed, step, index) for index in range(count)]
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
        tell(arm.reward, group, address, memory.state)
        for group, address in zip(groups, addresses, strict=True)
    ]
    write_rollouts(cell.step_file(EVOLVE, step), told)
    ask = _asking(arm, sampler, (EVOLVE, seed, step))
    bank.absorb(told, arm.environment, PolicyReader(policy), ask, step, weak_only=weak_only)


def _asking(arm: Arm, sampler: Sampler, address: tuple[Address, ...]) -> Ask:
    """A function that asks the policy for one completion per prompt, with the arm's sampling."""

    def ask(prompts: Sequence[str], max_tokens: int) -> list[str]:
        sampling: Sampling = replace(arm.sampling, max_tokens=max_tokens, stop=())
        addresses: list[tuple[Address, ...]] = [
            (*address, "ask", index) for index in range(len(prompts))
        ]
        return [group[0].text for group in sampler.sample(prompts, 1, sampling, addresses)]

    return ask
