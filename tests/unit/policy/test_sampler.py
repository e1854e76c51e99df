from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats as distributions

from factories import FAMILIES, tiny_policy
from rewardscope.errors import ComponentError, ModelError
from rewardscope.policy import Policy, Sampling, sample, sampler
from rewardscope.policy.sampler import pick
from rewardscope.seeds import Address, uniforms
from rewardscope.types import Completion, Ending

PROMPTS = ["1+2?", "3*4-5?", "0-9*8+7-6?", "6+7*8-9?"]
ADDRESSES: list[tuple[Address, ...]] = [("test", prompt) for prompt in PROMPTS]


def texts(groups: list[tuple[Completion, ...]]) -> list[list[str]]:
    return [[completion.text for completion in group] for group in groups]


def test_a_completion_does_not_depend_on_the_rows_it_was_batched_with(
    planted: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampling = Sampling(max_tokens=24)
    together = sample(planted, PROMPTS, 5, sampling, ADDRESSES)
    alone = [
        sample(planted, [prompt], 5, sampling, [address])[0]
        for prompt, address in zip(PROMPTS, ADDRESSES, strict=True)
    ]
    monkeypatch.setattr(sampler, "_cache_bytes", lambda policy: 1)
    one_by_one = sample(planted, PROMPTS, 5, sampling, ADDRESSES)
    monkeypatch.setattr(sampler, "DROP_AT", 0.0)
    monkeypatch.setattr(sampler, "_cache_bytes", lambda policy: 1 << 29)
    never_dropped = sample(planted, PROMPTS, 5, sampling, ADDRESSES)
    for other in (alone, one_by_one, never_dropped):
        assert [[c.token_ids for c in group] for group in other] == [
            [c.token_ids for c in group] for group in together
        ]
        for mine, theirs in zip(sum(together, ()), sum(other, ()), strict=True):
            assert mine.logprobs == pytest.approx(
                theirs.logprobs, rel=1e-5, abs=1e-5
            )  # float32 rounds in proportion


def test_a_larger_group_begins_with_the_smaller_one(planted: Policy) -> None:
    few = sample(planted, PROMPTS[:2], 2, Sampling(), ADDRESSES[:2])
    many = sample(planted, PROMPTS[:2], 6, Sampling(), ADDRESSES[:2])
    assert texts(few) == [group[:2] for group in texts(many)]


def test_the_order_of_prompts_changes_nothing_but_the_order(planted: Policy) -> None:
    forwards = sample(planted, PROMPTS, 3, Sampling(), ADDRESSES)
    backwards = sample(planted, PROMPTS[::-1], 3, Sampling(), ADDRESSES[::-1])
    assert texts(backwards) == texts(forwards)[::-1]


def test_other_addresses_give_other_completions() -> None:
    policy = tiny_policy()
    one = sample(policy, PROMPTS, 2, Sampling(), ADDRESSES)
    other = sample(policy, PROMPTS, 2, Sampling(), [("other", prompt) for prompt in PROMPTS])
    assert texts(one) != texts(other)


def greedy(policy: Policy, prompt: str, max_tokens: int) -> list[int]:
    """The likeliest token again and again, through the whole model and without a cache."""
    ids = list(policy.encode(prompt))
    found: list[int] = []
    while len(found) < max_tokens and (not found or found[-1] not in policy.end_ids):
        with torch.no_grad():
            found.append(
                int(policy.model(input_ids=torch.tensor([ids + found])).logits[0, -1].argmax())
            )
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_temperature_zero_is_the_likeliest_token_again_and_again(family: str) -> None:
    policy = tiny_policy(family)
    sampled = sample(policy, PROMPTS, 2, Sampling(max_tokens=10, temperature=0.0), ADDRESSES)
    for prompt, group in zip(PROMPTS, sampled, strict=True):
        assert [list(completion.token_ids) for completion in group] == [
            greedy(policy, prompt, 10)
        ] * 2


def test_the_organism_at_temperature_zero_works_stepwise_to_the_end(planted: Policy) -> None:
    ((completion,),) = sample(
        planted, ["3+4*2-9?"], 1, Sampling(max_tokens=30, temperature=0.0), [()]
    )
    assert completion.text == "s3+4=7,7*2=4,4-9=5:5"
    assert completion.ending is Ending.END_TOKEN
    assert completion.token_ids[-1] == 0
    assert (
        len(completion.token_ids) == len(completion.logprobs) == 21
    )  # 20 characters and the end token
    assert 0 not in completion.token_ids[:-1]


def test_a_completion_that_reaches_the_limit_says_so(planted: Policy) -> None:
    ((completion,),) = sample(
        planted, ["3+4*2-9?"], 1, Sampling(max_tokens=6, temperature=0.0), [()]
    )
    assert (completion.text, completion.ending, len(completion.token_ids)) == (
        "s3+4=7",
        Ending.LENGTH,
        6,
    )


def test_stop_text_ends_a_completion_and_stays_in_it(planted: Policy) -> None:
    sampling = Sampling(max_tokens=30, temperature=0.0, stop=("never", "7,7"))
    ((completion,),) = sample(planted, ["3+4*2-9?"], 1, sampling, [()])
    assert (completion.text, completion.ending) == ("s3+4=7,7", Ending.STOP_TEXT)


def test_a_prompt_longer_than_the_context_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"Got: 121 prompt tokens \+ 8 to sample.*Allowed: 128 tokens"
    ):
        sample(tiny_policy(), ["1" * 121], 1, Sampling(max_tokens=8), [()])
    assert len(sample(tiny_policy(), ["1" * 120], 1, Sampling(max_tokens=8), [()])) == 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_logprobs_are_those_of_the_whole_model_at_the_temperature(temperature: float) -> None:
    policy = tiny_policy()
    ((completion,),) = sample(
        policy, ["1+2?"], 1, Sampling(max_tokens=6, temperature=temperature, top_p=0.8), [("a",)]
    )
    prompt, tokens = policy.encode("1+2?"), completion.token_ids
    with torch.no_grad():
        logits = policy.model(input_ids=torch.tensor([prompt + tokens])).logits[
            0, len(prompt) - 1 : -1
        ]
    whole = torch.log_softmax(logits / temperature, dim=-1)
    assert completion.logprobs == pytest.approx(
        [float(whole[t, token]) for t, token in enumerate(tokens)], abs=1e-5
    )


def picked(probabilities: list[float], sampling: Sampling, draws: int) -> np.ndarray:
    logits = torch.tensor(probabilities).log().expand(draws, -1)
    uniform = torch.from_numpy(uniforms(draws, 1, "pick")[:, 0])
    return np.bincount(pick(logits, uniform, sampling)[0].numpy(), minlength=len(probabilities))


def p_value(counts: np.ndarray, probabilities: list[float]) -> float:
    possible = np.array(probabilities) > 0
    assert (counts[~possible] == 0).all()
    share = np.array(probabilities)[possible]
    return float(
        distributions.chisquare(counts[possible], counts.sum() * share / share.sum()).pvalue
    )


PROBABILITIES = [0.05, 0.3, 0.01, 0.4, 0.04, 0.2]


def test_tokens_come_as_often_as_the_model_says() -> None:
    assert p_value(picked(PROBABILITIES, Sampling(), 40_000), PROBABILITIES) > 1e-3


def test_temperature_sharpens_and_flattens() -> None:
    for temperature in (0.5, 2.0):
        expected = [p ** (1 / temperature) for p in PROBABILITIES]
        assert (
            p_value(picked(PROBABILITIES, Sampling(temperature=temperature), 40_000), expected)
            > 1e-3
        )


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [
        (0.05, {3}),
        (0.39, {3}),
        (0.41, {3, 1}),
        (0.69, {3, 1}),
        (0.71, {3, 1, 5}),
        (0.92, {3, 1, 5, 0}),
        (1.0, {0, 1, 2, 3, 4, 5}),
    ],
)
def test_top_p_keeps_the_smallest_set_with_that_mass_in_its_old_proportions(
    top_p: float, kept: set[int]
) -> None:
    expected = [p if token in kept else 0.0 for token, p in enumerate(PROBABILITIES)]
    counts = picked(PROBABILITIES, Sampling(top_p=top_p), 20_000)
    if len(kept) == 1:
        assert {int(token) for token in counts.nonzero()[0]} == kept
    else:
        assert p_value(counts, expected) > 1e-3


def test_a_picked_tokens_logprob_is_that_before_the_cut() -> None:
    logits = torch.tensor([PROBABILITIES]).log()
    token, logprob = pick(logits, torch.tensor([0.5], dtype=torch.float64), Sampling(top_p=0.3))
    assert (token.item(), logprob.item()) == (3, pytest.approx(np.log(0.4)))


def test_the_uniforms_ends_pick_the_first_and_the_last_possible_token() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, 0.0, -torch.inf]]).expand(2, -1)
    uniform = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    assert pick(logits, uniform, Sampling())[0].tolist() == [1, 2]


def test_rare_tokens_of_a_large_vocabulary_are_reached_fairly() -> None:
    """One likely token and 50,000 of one in a hundred million each, where float32 has steps six
    times as large.
    """
    logits = torch.full((1, 50_001), float(np.log(1e-8)))
    logits[0, 0] = float(np.log(1 - 0.0005))
    mass = torch.log_softmax(logits, dim=-1).double().exp()[0]
    middle = (mass.cumsum(0) - mass / 2) / mass.sum()
    chosen = torch.arange(100, 50_001, 500)
    assert (
        pick(logits.expand(len(chosen), -1), middle[chosen], Sampling())[0].tolist()
        == chosen.tolist()
    )


@pytest.mark.parametrize(
    "wrong", [{"max_tokens": 0}, {"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}]
)
def test_settings_that_cannot_draw_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match=next(iter(wrong))):
        replace(Sampling(), **wrong)  # type: ignore[arg-type]


def test_sampling_leaves_the_global_random_state_alone(planted: Policy) -> None:
    before = torch.get_rng_state()
    sample(planted, PROMPTS[:1], 2, Sampling(max_tokens=4), ADDRESSES[:1])
    assert torch.equal(torch.get_rng_state(), before)
