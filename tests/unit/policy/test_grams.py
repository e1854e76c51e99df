import pytest
import torch

from factories import sampled_batch, tiny_policy
from rewardscope.policy import Sampling, gram_mask
from rewardscope.policy.grams import gram_pattern


@pytest.mark.parametrize(
    ("grams", "text", "found"),
    [
        (("so", "wait"), "So, also: wait!", ["So", "wait"]),
        (("let me", "let"), "let me see; let it; outlet", ["let me", "let"]),
        (("s",), "s3+4=7,7*2=4:4", ["s"]),
        (("## step",), "## Step 1 ## steps", ["## Step"]),
        ((".*",), "a .* b", [".*"]),
    ],
)
def test_grams_are_texts_and_those_of_letters_are_whole_words(
    grams: tuple[str, ...], text: str, found: list[str]
) -> None:
    assert gram_pattern(grams).findall(text) == found


def test_every_token_inside_a_gram_plans() -> None:
    """The tiny tokenizer has one token per character, so the mask can be read off the text."""
    policy = tiny_policy()
    batch = sampled_batch(policy, ("1+2?", "3*4?"), 4, Sampling(max_tokens=12))
    texts = [
        policy.decode(tuple(batch.token_NT[n, : int(batch.mask_NT[n].sum())].tolist()))
        for n in range(8)
    ]
    gram = next(
        text[i : i + 2]
        for text in texts
        for i in range(len(text) - 1)
        if not text[i : i + 2].isalpha()
    )
    found = gram_mask(policy, batch, (gram,))
    assert found.any() and not (found & ~batch.mask_NT).any()
    pattern = gram_pattern((gram,))
    for n, text in enumerate(texts):
        inside = {i for match in pattern.finditer(text) for i in range(*match.span())}
        assert set(found[n].nonzero().squeeze(1).tolist()) == inside


def test_without_an_occurrence_nothing_plans() -> None:
    policy = tiny_policy()
    batch = sampled_batch(policy, ("1+2?",), 2, Sampling(max_tokens=8))
    assert torch.equal(gram_mask(policy, batch, ("hypotenuse",)), torch.zeros_like(batch.mask_NT))
