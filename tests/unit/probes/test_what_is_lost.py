import itertools
import math
from dataclasses import replace

import pytest
import torch

from factories import PROBLEM, evidence, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, Sampling, sample
from rewardscope.probes.losses import Losses
from rewardscope.seeds import generator
from rewardscope.types import Grade, Measurement, Rollout

NOTHING = Grade(None, None, False)
SAMPLING = Sampling(max_tokens=2)


def moved(policy: Policy, scale: float) -> Policy:
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(
                torch.from_numpy(generator("losses", name).normal(0, scale, tuple(parameter.shape)))
            )
    return other


def rollouts(
    policy: Policy, draws: int, sampling: Sampling = SAMPLING, problems: int = 2
) -> list[Rollout]:
    prompts = [f"{p}+1?" for p in range(problems)]
    groups = sample(policy, prompts, draws, sampling, [("losses", prompt) for prompt in prompts])
    return [
        Rollout(replace(PROBLEM, id=prompt, prompt=prompt), 0, group, (NOTHING,) * draws)
        for prompt, group in zip(prompts, groups, strict=True)
    ]


def measured(
    base: Policy, policy: Policy, draws: int, sampling: Sampling = SAMPLING, **settings: object
) -> dict[str, Measurement]:
    probe = Losses(draws=draws, **settings)  # type: ignore[arg-type]
    own, theirs = rollouts(policy, draws, sampling), tuple(rollouts(base, draws, sampling))
    given = evidence(policy, own, base_rollouts=theirs, base_policy=base, sampling=sampling)
    rows = [row for row in probe.measure(given) if "problem" not in row.labels]
    return {row.metric.split("/")[1]: row for row in rows}


def next_token(policy: Policy, ids: tuple[int, ...], temperature: float = 1.0) -> torch.Tensor:
    with torch.no_grad():
        return torch.log_softmax(
            policy.model(input_ids=torch.tensor([ids])).logits[0, -1].double() / temperature, dim=-1
        )


def exact_kl(left: Policy, right: Policy, prompt: str, temperature: float) -> float:
    """KL over all completions of up to two tokens; token 0 ends one."""
    ids = left.encode(prompt)
    mine, theirs = next_token(left, ids, temperature), next_token(right, ids, temperature)
    total = float((mine.exp() * (mine - theirs)).sum())
    for first in range(1, left.vocabulary_size):
        one, other = (
            next_token(left, (*ids, first), temperature),
            next_token(right, (*ids, first), temperature),
        )
        total += float(mine[first].exp() * (one.exp() * (one - other)).sum())
    return total


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
def test_kl_in_both_directions_is_that_of_all_completions(temperature: float) -> None:
    base = tiny_policy()
    policy = moved(base, 0.08)
    found = measured(base, policy, 1024, Sampling(max_tokens=2, temperature=temperature))
    for name, left, right in (("kl_to_base", policy, base), ("kl_from_base", base, policy)):
        exact = sum(exact_kl(left, right, f"{p}+1?", temperature) for p in range(2)) / 2
        assert exact > 0.01
        assert found[name].value == pytest.approx(exact, rel=0.25)


@pytest.mark.parametrize(
    "cut",
    [Sampling(max_tokens=2, top_p=0.9), Sampling(max_tokens=2, temperature=0.0)],
    ids=["top_p", "greedy"],
)
def test_draws_that_are_not_the_whole_distributions_have_no_kl(cut: Sampling) -> None:
    base = tiny_policy()
    found = measured(base, moved(base, 0.1), 8, cut)
    for name in ("kl_to_base", "kl_from_base"):
        assert (found[name].value, found[name].n, found[name].dropped) == (None, 0, 2)
    assert found["base_text_perplexity"].value is not None, (
        "a text has a perplexity whoever wrote it"
    )


def test_a_copy_has_lost_nothing() -> None:
    base = tiny_policy()
    found = measured(base, base.clone(), 8, texts=("1+2?", "3*4-5?"))
    assert {found[name].value for name in ("kl_to_base", "kl_from_base", "text_kl")} == {0.0}


def test_a_uniform_policy_has_the_perplexity_of_its_vocabulary() -> None:
    base = tiny_policy()
    with torch.no_grad():
        base.model.get_output_embeddings().weight.zero_()
    rows = Losses(texts=("1+2?", "77")).measure(evidence(base, rollouts(base, 4)))
    found = {row.metric.split("/")[1]: row for row in rows if "problem" not in row.labels}
    assert found["base_text_perplexity"].value == pytest.approx(22.0)
    assert found["text_perplexity"].value == pytest.approx(22.0)
    assert found["text_perplexity"].n == 3 + 1, "the first token of a text is its prompt"
    assert "kl_to_base" not in found, "a base has not left itself"


def test_fixed_texts_by_hand() -> None:
    base = tiny_policy()
    policy = moved(base, 0.1)
    found = measured(base, policy, 2, texts=("12", "345"))
    surprise, apart = 0.0, 0.0
    for text in ("12", "345"):
        ids = base.encode(text)
        for place in range(1, len(ids)):
            mine, theirs = next_token(policy, ids[:place]), next_token(base, ids[:place])
            surprise -= float(mine[ids[place]])
            apart += float((theirs.exp() * (theirs - mine)).sum())
    assert found["text_perplexity"].value == pytest.approx(math.exp(surprise / 3), rel=1e-4)
    assert found["text_kl"].value == pytest.approx(apart / 3, rel=1e-3)


def test_further_away_is_more_lost() -> None:
    base = tiny_policy()
    found = [measured(base, moved(base, scale), 64, texts=("1+2?",)) for scale in (0.02, 0.1, 0.3)]
    for name in ("kl_to_base", "kl_from_base", "text_kl"):
        values = [rows[name].value or 0.0 for rows in found]
        assert all(one < other for one, other in itertools.pairwise(values)), name


def test_without_texts_their_rows_are_unknown_and_not_zero() -> None:
    found = measured(tiny_policy(), tiny_policy(), 2)
    assert (found["text_kl"].value, found["text_perplexity"].value) == (None, None)


def test_a_text_of_one_token_is_refused() -> None:
    with pytest.raises(ComponentError, match="does not fit"):
        measured(tiny_policy(), tiny_policy(), 2, texts=("1",))


def test_no_draws_are_refused() -> None:
    with pytest.raises(ComponentError, match="draws"):
        Losses(draws=0)
