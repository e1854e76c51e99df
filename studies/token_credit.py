"""Where does credit fall? PRIME's implicit rewards and SDPO's log-ratio against the known place of
a completion's first error.

    .venv/bin/python studies/token_credit.py      (about 4 minutes; it is no Study, since nothing is
    trained but PRIME's own model)

On the completions of the untrained organisms, at tokens that can be wrong (moves of ``paths``,
results of ``feedback``): the share of a completion's other such tokens whose credit is higher than
that of its first error. 0.5 = the credit knows nothing of the place.

PRIME's model learns outcomes for 40 steps of 16 problems x 16 completions, three seeds; its null
learns coin flips instead. SDPO's teacher is the policy behind the verifier's words; its nulls are
another problem's words, and none. Both have the null of their own values shuffled over a
completion's compared tokens.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rewardscope import Hinted, ImplicitReward, Organism, Paths, Reprompt, Sampling, Teacher
from rewardscope.environments.hinted import FEEDBACK_SECTION, TEMPLATE
from rewardscope.environments.paths import BACK, PLACES
from rewardscope.policy import Policy, pack, score
from rewardscope.probes.token_credit import error_auroc, first_error_tokens
from rewardscope.seeds import generator
from rewardscope.tensors import Batch
from rewardscope.training import roll_out
from rewardscope.types import Rollout

World = Paths | Hinted
STEPS, PROBLEMS, GROUP, HELDOUT = 40, 16, 16, 64
SAMPLING = Sampling(max_tokens=40)
WORDS = Reprompt("none", "always", template=TEMPLATE, feedback_section=FEEDBACK_SECTION)


def drawn(
    policy: Policy, world: World, split: str, indices: Sequence[int], address: tuple[str | int, ...]
) -> list[Rollout]:
    """Graded groups of the untrained policy."""
    problems = [world.problem(split, index) for index in indices]
    return roll_out(
        policy,
        world,
        problems,
        GROUP,
        SAMPLING,
        0,
        [(*address, problem.id) for problem in problems],
    )


def can_err(policy: Policy, world: World, rollouts: Sequence[Rollout], batch: Batch) -> Tensor:
    """True (N, T) on moves, or on the digit behind each equals sign."""
    found_NT = torch.zeros_like(batch.mask_NT)
    for n, completion in enumerate(c for rollout in rollouts for c in rollout.completions):
        text = policy.decode(completion.token_ids)  # a token is a character here
        for t, letter in enumerate(text):
            found_NT[n, t] = (
                letter in PLACES + BACK if isinstance(world, Paths) else text[t - 1 : t] == "="
            )
    return found_NT & batch.mask_NT


def implicit_rewards(policy: Policy, world: World, seed: int, told: str, batch: Batch) -> Tensor:
    """Rewards per token (N, T) of a model that learned outcomes, or coin flips."""
    state = ImplicitReward(learning_rate=6e-4).begin(policy.clone())
    for step in range(STEPS):
        indices = range(step * PROBLEMS, (step + 1) * PROBLEMS)
        rollouts = drawn(policy, world, "train", indices, ("token credit", seed, step))
        learned = pack(
            policy, [replace(r, rewards=tuple(0.0 for _ in r.grades)) for r in rollouts], 1.0
        )
        outcomes = torch.tensor(
            [float(grade.correct is True) for rollout in rollouts for grade in rollout.grades]
        )
        flips = torch.from_numpy(
            generator("token credit", "coin", seed, step).integers(0, 2, len(outcomes))
        ).float()
        state.learn(
            learned, outcomes if told == "truth" else flips, score(policy, learned).logprob_NT
        )
    return state.rewards(batch, score(policy, batch).logprob_NT)


def log_ratios(
    policy: Policy, rollouts: Sequence[Rollout], reprompt: Reprompt, batch: Batch
) -> tuple[Tensor, Tensor]:
    """Log teacher - log policy per token (N, T), and which completions had evidence (N,)."""
    texts = reprompt.texts(
        rollouts,
        [[float(grade.correct is True) for grade in rollout.grades] for rollout in rollouts],
    )
    prompts = [None if text is None else policy.encode(text) for text in texts]
    said = Teacher("live").begin(policy).teach(policy, batch, prompts, "sampled")
    return said.logprob_NTK[:, :, 0] - score(policy, batch).logprob_NT, said.evidence_N


def shuffled(credit_NT: Tensor, mask_NT: Tensor) -> Tensor:
    """Each row's compared values in an order drawn anew."""
    random, found = generator("token credit", "shuffled"), credit_NT.clone()
    for n, row in enumerate(mask_NT):
        places = row.nonzero().squeeze(1)
        found[n, places] = credit_NT[n, places[torch.from_numpy(random.permutation(len(places)))]]
    return found


def say(what: str, credit_NT: Tensor, error_N: Tensor, mask_NT: Tensor) -> None:
    """Prints a line: the mean with its interval, and how many completions stand behind it."""
    auroc = error_auroc(credit_NT, error_N, mask_NT)
    found, number = auroc.over_problems(GROUP, what), int((~auroc.each_N.isnan()).sum())
    value = (
        "none" if found is None else f"{found.value:.3f} ({found.lower:.3f} to {found.upper:.3f})"
    )
    sys.stdout.write(f"{what}: {value}; {number} completions with an error, {HELDOUT} problems\n")
    sys.stdout.flush()


def main() -> None:
    """Prints the table."""
    worlds: dict[str, World] = {"paths": Paths(), "feedback": Hinted()}
    for name, world in worlds.items():
        policy = Organism(name).load()
        rollouts = drawn(policy, world, "heldout", range(HELDOUT), ("token credit",))
        batch = pack(
            policy, [replace(r, rewards=tuple(0.0 for _ in r.grades)) for r in rollouts], 1.0
        )
        offsets = [[world.first_error(r.problem, c.text) for c in r.completions] for r in rollouts]
        error_N, mask_NT = (
            first_error_tokens(policy, rollouts, offsets),
            can_err(policy, world, rollouts, batch),
        )
        error_N = torch.where(
            mask_NT.gather(1, error_N.clamp(min=0)[:, None]).squeeze(1), error_N, -1
        )  # malformed working: not compared
        say(f"{name}, the policy's own logprob", score(policy, batch).logprob_NT, error_N, mask_NT)
        if isinstance(world, Hinted):
            for kind, reprompt in (
                ("own words", WORDS),
                ("another's words", replace(WORDS, feedback_of="other")),
            ):
                ratio_NT, evidence_N = log_ratios(policy, rollouts, reprompt, batch)
                taught_N = torch.where(evidence_N, error_N, -1)
                say(f"{name}, SDPO's log-ratio, {kind}", ratio_NT, taught_N, mask_NT)
                say(
                    f"{name}, SDPO's log-ratio, {kind}, shuffled",
                    shuffled(ratio_NT, mask_NT),
                    taught_N,
                    mask_NT,
                )
        for told in ("truth", "coin"):
            for seed in range(3):
                reward_NT = implicit_rewards(policy, world, seed, told, batch)
                say(
                    f"{name}, PRIME's implicit reward, {told}, seed {seed}",
                    reward_NT,
                    error_N,
                    mask_NT,
                )
                if told == "truth":
                    say(
                        f"{name}, PRIME's implicit reward, {told}, seed {seed}, shuffled",
                        shuffled(reward_NT, mask_NT),
                        error_N,
                        mask_NT,
                    )


if __name__ == "__main__":
    main()
