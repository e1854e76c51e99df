import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from factories import evidence, rollout, tiny_policy
from rewardscope import Chain, Sampling
from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, pack
from rewardscope.policy.grams import gram_pattern
from rewardscope.probes.phases import Phases, follower_entropy, plan_entropy
from rewardscope.probes.strategic import Miner, grams_of, random_grams, rarefied_entropy, uses
from rewardscope.seeds import generator
from rewardscope.stats import statistic_over_problems
from rewardscope.training import roll_out
from rewardscope.types import Measurement, Rollout

LETTERS = ("s", "t", "g")
PLANS = (
    *("let us first check the sign", "wait, that can not be right", "try another way instead"),
    *("it follows from this that", "we now turn to the rest", "going back to the start"),
)
STEPS = (
    "{} + {} = {}",
    "{} * {} = {}",
    "({} - {}) / {} left",
    "x = {}, y = {}, z = {}",
    "pay {}, keep {}, give {}",
)


def solution(random: np.random.Generator) -> str:
    """Written-out working with plans put in here and there."""
    parts = [
        STEPS[int(random.integers(len(STEPS)))].format(*random.integers(0, 100, 3))
        for _ in range(int(random.integers(6, 14)))
    ]
    for plan in PLANS:
        if random.random() < 0.4:
            parts.insert(int(random.integers(len(parts) + 1)), plan)
    return ". ".join(parts) + "."


def written(count: int) -> list[str]:
    random = generator("phases", "solutions")
    return [solution(random) for _ in range(count)]


def inside(grams: tuple[str, ...], texts: list[str]) -> np.ndarray:
    """Of all characters of the texts: whether they lie in a use."""
    found = [np.zeros(len(text), dtype=bool) for text in texts]
    for mask, text in zip(found, texts, strict=True):
        for use in gram_pattern(grams).finditer(text):
            mask[slice(*use.span())] = True
    return np.concatenate(found)


@pytest.fixture(scope="module")
def rollouts(planted: Policy) -> list[Rollout]:
    problems = [Chain().problem("heldout", index) for index in range(8)]
    return roll_out(
        planted,
        Chain(),
        problems,
        8,
        Sampling(max_tokens=24),
        0,
        [("phases", problem.id) for problem in problems],
    )


def measured(
    policy: Policy, rollouts: list[Rollout], **changes: object
) -> dict[tuple[str, ...], Measurement]:
    rows = Phases(grams=LETTERS, plans=16, followers=4).measure(
        evidence(policy, rollouts, **changes)
    )
    return {
        (
            row.metric.split("/")[1],
            *(row.labels[name] for name in ("grams", "tokens", "on") if name in row.labels),
        ): row
        for row in rows
        if "problem" not in row.labels
    }


def test_a_uniform_policy_has_the_entropy_of_its_vocabulary_on_every_token() -> None:
    policy = tiny_policy()
    with torch.no_grad():
        policy.model.get_output_embeddings().weight.zero_()
    problems = [Chain().problem("heldout", index) for index in range(4)]
    drawn = roll_out(
        policy,
        Chain(),
        problems,
        8,
        Sampling(max_tokens=12),
        0,
        [("uniform", problem.id) for problem in problems],
    )
    found = measured(policy, drawn)
    for part in ("planning", "execution"):
        assert found["entropy", "strategic", part].value == pytest.approx(math.log(22), abs=1e-5)
        assert found["perplexity", "strategic", part, "own"].value == pytest.approx(22, abs=1e-3)


def test_token_rows_by_hand(planted: Policy, rollouts: list[Rollout]) -> None:
    """One token per character, so that a letter's token is its place in the text."""
    found = measured(planted, rollouts)
    surprise: dict[bool, list[float]] = {True: [], False: []}
    entropy: dict[bool, list[float]] = {True: [], False: []}
    for group in rollouts:
        prompt = planted.encode(group.problem.prompt)
        for completion in group.completions:
            with torch.no_grad():
                logits = planted.model(
                    input_ids=torch.tensor([[*prompt, *completion.token_ids]])
                ).logits[0, len(prompt) - 1 : -1]
            logprob = torch.log_softmax(logits.double(), dim=-1)
            for t, token in enumerate(completion.token_ids):
                plans = planted.decode((token,)) in LETTERS
                surprise[plans].append(-float(logprob[t, token]))
                entropy[plans].append(-float((logprob[t].exp() * logprob[t]).sum()))
    for plans, part in ((True, "planning"), (False, "execution")):
        assert found["entropy", "strategic", part].value == pytest.approx(
            np.mean(entropy[plans]), abs=1e-4
        )
        assert found["perplexity", "strategic", part, "own"].value == pytest.approx(
            math.exp(np.mean(surprise[plans])), rel=1e-4
        )
        assert found["entropy", "strategic", part].n == len(entropy[plans])
    assert found["token_share", "strategic", "planning"].value == pytest.approx(
        len(entropy[True]) / sum(map(len, entropy.values()))
    )


def test_a_policy_that_grew_sure_of_its_plans_alone_is_seen_there_alone(
    planted: Policy, rollouts: list[Rollout]
) -> None:
    """The base's completions are the same for both; only what letters cost has changed."""
    policy = planted.clone()
    ids = [planted.encode_completion(letter)[0] for letter in LETTERS]
    with torch.no_grad():
        policy.model.get_output_embeddings().weight[ids] *= 2
    found = measured(policy, rollouts, base_policy=planted, base_rollouts=tuple(rollouts))
    planning, execution = (
        found["surprise_change", "strategic", part, "base"] for part in ("planning", "execution")
    )
    assert planning.value is not None and execution.value is not None
    assert abs(planning.value) > 5 * abs(execution.value) > 0
    before = pack(planted, rollouts, 1.0)
    assert planning.n + execution.n == int(before.mask_NT.sum())


def test_without_grams_everything_is_unknown(planted: Policy) -> None:
    group = rollout([False, False])
    rows = Phases().measure(evidence(planted, [group, group]))
    assert rows and all((row.value, row.n) == (None, 0) for row in rows)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(1, 4))
def test_rarefied_entropy_is_the_mean_over_all_subsets(counts: list[int], k: int) -> None:
    names = [name for name, count in enumerate(counts) for _ in range(count)]
    found = float(rarefied_entropy(np.array([counts]), k)[0])
    if len(names) < k:
        assert math.isnan(found)
        return
    each = [
        -sum(x / k * math.log(x / k) for x in Counter(subset).values())
        for subset in itertools.combinations(names, k)
    ]
    assert found == pytest.approx(np.mean(each), abs=1e-12)


def test_twice_as_many_uses_are_not_twice_as_varied() -> None:
    """The plain entropy grows with the number of uses; the rarefied one has the same
    expectation.
    """
    random, share = generator("phases", "counts"), np.arange(1, 41) / np.arange(1, 41).sum()
    few, many = (random.multinomial(n, share, 400) for n in (128, 1024))
    assert rarefied_entropy(few, 128).mean() == pytest.approx(
        rarefied_entropy(many, 128).mean(), abs=0.01
    )
    plain = [-(c[c > 0] / c.sum() * np.log(c[c > 0] / c.sum())).sum() for c in (few[0], many[0])]
    assert plain[1] - plain[0] > 0.05


def test_the_interval_of_the_semantic_entropy_covers_its_expectation() -> None:
    random, names = generator("phases", "coverage"), [str(name) for name in range(12)]
    share = np.arange(1, 13) / 78
    true = float(rarefied_entropy(random.multinomial(64, share, 20_000), 64).mean())
    covered = 0
    for study in range(100):
        used = [
            [(str(name), "") for name in random.choice(names, p=share, size=6)] for _ in range(48)
        ]
        found = statistic_over_problems(
            48, plan_entropy(used, 64), address=f"phases/{study}", centred=True
        )
        assert found is not None and found.lower is not None and found.upper is not None
        covered += found.lower <= true <= found.upper
    assert 88 <= covered <= 100


def test_what_follows_a_gram_is_weighted_by_its_use() -> None:
    used = [[("a", "x"), ("a", "y"), ("a", "x"), ("a", "y")], [("b", "x")] * 4, [("c", "x")]]
    found = follower_entropy(used, 2)(np.ones((1, 3)))
    assert float(found[0]) == pytest.approx((4 * (2 / 3 * math.log(2)) + 4 * 0) / 8)
    assert np.isnan(follower_entropy([[("a", "x")]], 2)(np.ones((1, 1)))).all()


def test_a_use_comes_with_what_stands_behind_it() -> None:
    assert uses("So, wait 12; wait", gram_pattern(["wait", "so"])) == [
        ("so", ","),
        ("wait", "12"),
        ("wait", ""),
    ]


def test_planted_plans_are_mined_from_written_working() -> None:
    texts = written(300)
    grams = Miner().mine(texts)
    found, true = inside(grams, texts), inside(PLANS, texts)
    assert (found & true).sum() / found.sum() > 0.9, "precision"
    assert (found & true).sum() / true.sum() > 0.3, "recall"
    assert not inside(grams, [STEPS[0].format(3, 4, 7)]).any()


def test_working_without_plans_is_not_mined_for_numbers() -> None:
    random = generator("phases", "plain")
    texts = [
        ". ".join("{} + {} = {}".format(*random.integers(0, 100, 3)) for _ in range(8))
        for _ in range(50)
    ]
    assert Miner().mine(texts) == () == Miner().mine([]) == Miner().mine(["only one"])


def test_random_grams_are_as_frequent_and_elsewhere() -> None:
    texts = written(300)
    grams = ("let us first check the sign", "try another way instead")
    null = random_grams(texts, grams, "test")
    assert (
        len(null) == 2
        and not inside(null, ["let us first check the sign. try another way instead"]).any()
    )
    for one, other in zip(sorted(grams), null, strict=True):
        total = Counter(gram for text in texts for gram in grams_of(text, 1, 6))
        assert total[other] == pytest.approx(total[one], rel=0.35)
    assert null == random_grams(texts, grams, "test") != random_grams(texts, grams, "other")


def test_text_of_any_kind_can_be_mined() -> None:
    random = generator("phases", "junk")
    pieces = (
        "\x00",
        "\ud800",
        "so we",
        "\n",
        ".",
        "(",
        "[",
        "\\",
        "wait",
        "\u0130",
        "9" * 40,
        " ",
        "_",
        "\u2212",
    )
    texts = ["".join(pieces[i] for i in random.integers(len(pieces), size=30)) for _ in range(500)]
    grams = Miner(shortest=1, longest=2).mine(texts)
    assert len(random_grams(texts, grams, "junk")) <= len(grams)
    assert all(isinstance(gram, str) and gram for gram in grams)


@pytest.mark.parametrize(
    "settings", [{"draws": 0}, {"plans": 0}, {"followers": 0}, {"grams": ("",)}]
)
def test_settings_that_read_nothing_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ComponentError, match="cannot read"):
        Phases(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [{"shortest": 0}, {"shortest": 6}, {"kept_share": 0.0}, {"most": 0}, {"most_inside": 0.5}],
)
def test_a_miner_that_cannot_mine_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="cannot mine"):
        Miner(**settings)  # type: ignore[arg-type]
