"""What error_auroc says of credit whose knowledge of the first error we made."""

from collections.abc import Iterator

import torch
from checks import Check

from rewardscope.probes.token_credit import error_auroc
from rewardscope.seeds import generator

COMPLETIONS, TOKENS, GROUP = 4000, 24, 16


def credit() -> Iterator[Check]:
    """Credit that falls at the error, that was shuffled, that only knows how good a completion is,
    or only its place in the row.
    """
    random = generator("validation", "credit")
    length_N = torch.from_numpy(random.integers(3, TOKENS + 1, COMPLETIONS))
    error_N = torch.from_numpy((random.random(COMPLETIONS) * length_N.numpy()).astype(int))
    mask_NT = torch.arange(TOKENS) < length_N[:, None]
    noise_NT = torch.from_numpy(random.normal(size=(COMPLETIONS, TOKENS)))
    at_error_NT = torch.nn.functional.one_hot(error_N, TOKENS).double()
    n = f"{COMPLETIONS} completions of 3 to {TOKENS} tokens"
    known = {
        "credit that falls at the first error alone": (-at_error_NT, 1.0, 1.0, "sensitivity"),
        "noise, two deviations lower at the error; 0.921 is known": (
            noise_NT - 2 * at_error_NT,
            0.91,
            0.93,
            "sensitivity",
        ),
        "perfect credit shuffled over the completion": (
            _shuffled(-at_error_NT, mask_NT),
            0.47,
            0.53,
            "null",
        ),
        "noise": (noise_NT, 0.47, 0.53, "null"),
        "a number per completion, low where there is an error": (
            -torch.ones_like(noise_NT),
            0.5,
            0.5,
            "null",
        ),
        "credit that falls along the completion, errors anywhere": (
            -torch.arange(TOKENS).expand_as(noise_NT).double(),
            0.47,
            0.53,
            "null",
        ),
    }
    for what, (credit_NT, lowest, highest, kind) in known.items():
        yield Check(
            "ErrorAuroc",
            kind,
            what,
            error_auroc(credit_NT, error_N, mask_NT).mean or 0.0,
            lowest,
            highest,
            n,
        )
    studies, covered = 500, 0
    for study in range(studies):
        skill_P = generator("validation", "skill", study).normal(1.0, 1.0, 64)
        draw_NT = torch.from_numpy(
            generator("validation", "draw", study).normal(size=(64 * GROUP, 8))
        )
        draw_NT[:, 0] -= torch.from_numpy(skill_P).repeat_interleave(GROUP)
        place_N, whole_NT = (
            torch.zeros(64 * GROUP, dtype=torch.long),
            torch.ones(64 * GROUP, 8, dtype=torch.bool),
        )
        found = error_auroc(draw_NT, place_N, whole_NT).over_problems(GROUP, f"validation/{study}")
        covered += found is not None and (found.lower or 0) <= TRUE_MEAN <= (found.upper or 1)
    n = f"{studies} studies, 64 problems x {GROUP}, skill N(1, 1) by problem"
    yield Check(
        "ErrorAuroc",
        "coverage",
        "the interval holds the true mean",
        covered / studies,
        0.93,
        0.97,
        n,
    )


TRUE_MEAN = 0.7181485691746134
"""P(d + e1 > e2) with d ~ N(1, 1) and e1, e2 ~ N(0, 1): the normal distribution at 1 / sqrt(3)."""


def _shuffled(credit_NT: torch.Tensor, mask_NT: torch.Tensor) -> torch.Tensor:
    """Each row's values in an order drawn anew among its own tokens."""
    random, found = generator("validation", "shuffled"), torch.zeros_like(credit_NT)
    for n, row in enumerate(mask_NT):
        places = row.nonzero().squeeze(1)
        found[n, places] = credit_NT[n, places[torch.from_numpy(random.permutation(len(places)))]]
    return found
