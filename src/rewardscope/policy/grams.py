"""Strategic grams in completions: which tokens plan."""

import re
from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from rewardscope.policy.growing import GrowingText
from rewardscope.policy.policy import Policy
from rewardscope.tensors import Batch


def gram_pattern(grams: Sequence[str]) -> re.Pattern[str]:
    """Matches any of the grams, longest first; one that begins or ends with a letter matches only
    where a word does.
    """
    parts = [
        ("" if not gram[0].isalpha() else r"(?<![^\W\d_])")
        + re.escape(gram)
        + ("" if not gram[-1].isalpha() else r"(?![^\W\d_])")
        for gram in sorted(grams, key=len, reverse=True)
    ]
    return re.compile("|".join(parts), re.IGNORECASE)


def gram_mask(policy: Policy, batch: Batch, grams: Sequence[str]) -> Bool[Tensor, "N T"]:
    """True on tokens of which a character lies inside an occurrence of a gram; matched over the
    decoded text, case ignored.

    Source:
        Wang et al. 2025, arXiv:2509.03646, appendix A: a token plans if it lies inside a strategic
            gram in context.
    """
    pattern = gram_pattern(grams)
    mask_NT = torch.zeros_like(batch.mask_NT)
    for n, (ids, positions) in enumerate(zip(batch.read_N, batch.places_N, strict=True)):
        own = {position: t for t, position in enumerate(positions)}
        spans = [match.span() for match in pattern.finditer(policy.decode(tuple(ids)))]
        if not spans:
            continue
        text, begin = GrowingText(policy.decode), 0
        for position, token in enumerate(ids):
            text.add(token)
            end = len(text)
            if position in own:
                mask_NT[n, own[position]] = any(
                    begin < stop and start < end for start, stop in spans
                )
            begin = max(begin, end)
    return mask_NT
