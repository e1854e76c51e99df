"""Tokens of a few completions, each with its logprob under the untrained and the trained policy;
None where the environment said it.
"""

from collections.abc import Sequence

import polars as pl

from rewardscope.policy import Policy, pack, score
from rewardscope.probes.base import first_draws
from rewardscope.types import Rollout

PER_PROBLEM = 2
"""Completions kept per problem and policy: the first draws, not chosen by anybody."""


def read_tokens(
    base: Policy,
    trained: Policy,
    base_rollouts: Sequence[Rollout],
    trained_rollouts: Sequence[Rollout],
    temperature: float,
) -> pl.DataFrame:
    """One row per token of the first draws of each rollout, from both policies (``source``), scored
    by both.
    """
    frames = []
    for source, rollouts in (("base", base_rollouts), ("trained", trained_rollouts)):
        first = first_draws(rollouts, PER_PROBLEM)
        batch = pack(trained, first, temperature)
        before, after = score(base, batch).logprob_NT, score(trained, batch).logprob_NT
        rows = []
        for n, (rollout, index) in enumerate(
            (r, i) for r in first for i in range(len(r.completions))
        ):
            completion, grade = rollout.completions[index], rollout.grades[index]
            own = dict(
                zip(
                    completion.places,
                    zip(before[n].tolist(), after[n].tolist(), strict=True),
                    strict=False,
                )
            )
            rows += [
                {
                    "problem": rollout.problem.id,
                    "prompt": rollout.prompt,
                    "key": rollout.problem.answer,
                    "source": source,
                    "index": index,
                    "position": t,
                    "token": trained.tokenizer.decode([token]),
                    "base_logprob": own.get(t, (None, None))[0],
                    "trained_logprob": own.get(t, (None, None))[1],
                    "correct": grade.correct,
                    "strategy": grade.strategy,
                    "ending": completion.ending.value,
                }
                for t, token in enumerate(completion.token_ids)
            ]
        frames.append(pl.DataFrame(rows, infer_schema_length=None))
    return pl.concat(frames, how="vertical_relaxed")
