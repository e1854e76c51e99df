"""Text that grows token by token is the decoded whole, at a cost that does not grow with it."""

from itertools import accumulate

import pytest

from factories import tiny_policy
from rewardscope.policy.growing import GrowingText
from rewardscope.policy.policy import Policy
from rewardscope.policy.start import Pretrained
from rewardscope.seeds import generator

TEXT = "First, wait: 7 é + 漢字 = \U0001f600?\n\n  So let me think... done"


@pytest.fixture(scope="module")
def smollm2() -> Policy:
    return Pretrained("smollm2-135m-instruct").load()


def lengths(policy: Policy, ids: list[int]) -> list[int]:
    text, found = GrowingText(policy.decode), []
    for token in ids:
        text.add(token)
        found.append(len(text))
    return found


def test_every_prefix_has_the_length_of_its_text(smollm2: Policy) -> None:
    ids = smollm2.tokenizer(TEXT)["input_ids"]
    drawn = generator("growing").integers(0, smollm2.vocabulary_size, 300).tolist()
    for tokens in (ids, drawn, ids + drawn):  # drawn ones end inside characters
        whole = [len(smollm2.decode(tuple(tokens[: n + 1]))) for n in range(len(tokens))]
        assert lengths(smollm2, tokens) == whole


def test_a_stop_is_found_at_the_token_that_completes_it(smollm2: Policy) -> None:
    ids = smollm2.tokenizer(TEXT)["input_ids"]
    texts = [smollm2.decode(tuple(part)) for part in accumulate([i] for i in ids)]
    for stop in ("wait", "漢字", "me think", "\n\n", "\U0001f600", "never"):
        text, found = GrowingText(smollm2.decode), []
        for token in ids:
            since = text.settled
            text.add(token)
            found.append(text.ends((stop,), since))
        first = next((n for n, whole in enumerate(texts) if stop in whole), None)
        assert (found.index(True) if True in found else None) == first


def test_a_token_decodes_a_few_tokens_whatever_came_before() -> None:
    policy, most = tiny_policy(), 0

    def decode(ids: tuple[int, ...]) -> str:
        nonlocal most
        most = max(most, len(ids))
        return policy.decode(ids)

    text = GrowingText(decode)
    for token in [1 + n % 20 for n in range(500)]:
        text.add(token)
    assert most <= 3 and len(text) == 500
