"""The rules organism reads what stands before a problem, and knows no rule by itself."""

from collections import Counter
from dataclasses import replace

import pytest

from rewardscope import Rules, Sampling
from rewardscope.environments.rules import SIGNS, result
from rewardscope.errors import ComponentError
from rewardscope.organisms import RuleCorpus
from rewardscope.organisms.organism import Organism
from rewardscope.organisms.rules import SHARES
from rewardscope.policy import Policy, sample
from rewardscope.training import roll_out

WORLD = Rules()
PROBLEMS = list(
    {
        WORLD.problem("heldout", index).id: WORLD.problem("heldout", index) for index in range(400)
    }.values()
)[:48]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Organism("rules").load()


def named(policy: Policy, before: dict[str, str]) -> dict[str, float]:
    """Share of draws that name the right rule, by what stood before the problem; filler makes every
    block 14 long.
    """
    found = {}
    for name, text in before.items():
        blocks = []
        for problem in PROBLEMS:
            kind, sign = problem.prompt[-1], WORLD.rules["abcdef".index(problem.prompt[-1])]
            wrong = [other for other in SIGNS if other != sign]
            other = "abcdef"["bcdefa".index(kind)]
            told = text.format(
                own=kind,
                other=other,
                sign=sign,
                a=wrong[0],
                b=wrong[1],
                c=wrong[2],
                result=result(sign, 5, 2),
            )
            blocks.append(("." * (14 - len(told)), told))
        rollouts = roll_out(
            policy,
            WORLD,
            PROBLEMS,
            32,
            Sampling(max_tokens=4),
            0,
            [("test", p.id) for p in PROBLEMS],
            blocks,
        )
        right = [
            grade.strategy == SIGNS[WORLD.rules["abcdef".index(r.problem.prompt[-1])]]
            for r in rollouts
            for grade in r.grades
        ]
        found[name] = sum(right) / len(right)
    return found


def test_it_follows_what_is_told_of_its_kind_and_passes_over_the_rest(policy: Policy) -> None:
    """Told its rule it goes by it in follows + (1 - follows) / 4 = 0.85 of draws; told nothing of
    its kind, in a quarter.
    """
    share = named(
        policy,
        {
            "nothing": "",
            "skill": "{own}{sign};",
            "other": "{other}{sign};",
            "wrong": "{own}{a};",
            "one lesson": "{own}!{a};",
            "lessons": "{own}!{a};{own}!{b};{own}!{c};",
            "demonstration": "52{own}{sign}{result};",
            "random": "5207",
            "wrong one of another": "{own}{sign};{other}{a};",
        },
    )
    assert share["skill"] == pytest.approx(0.85, abs=0.06)
    assert share["nothing"] == pytest.approx(0.25, abs=0.08)
    assert share["other"] == pytest.approx(0.25, abs=0.08)
    assert share["wrong"] == pytest.approx(0.05, abs=0.05)
    assert share["one lesson"] == pytest.approx(0.8 / 3 + 0.05, abs=0.09)
    assert (
        share["wrong one of another"] > 0.5
    )  # beside another kind's skill its own still counts most
    assert share["lessons"] > 0.7
    assert share["demonstration"] > 0.7


def test_it_can_work_out_what_it_names(policy: Policy) -> None:
    groups = sample(
        policy,
        [p.prompt for p in PROBLEMS],
        32,
        Sampling(max_tokens=4),
        [("work", p.id) for p in PROBLEMS],
    )
    texts = [(p.prompt, c.text) for p, group in zip(PROBLEMS, groups, strict=True) for c in group]
    right = [
        text == f"{text[0]}{result(text[0], int(prompt[0]), int(prompt[1]))}"
        for prompt, text in texts
        if text[:1] in SIGNS
    ]
    assert len(right) > 0.99 * len(texts) and sum(right) / len(right) > 0.95


def test_the_corpus_tells_rules_as_often_as_declared_and_follows_them_as_often() -> None:
    lines = replace(RuleCorpus(), num_lines=6000).lines(0)
    own = [
        (before, prompt, text)
        for line, text in lines
        for before, prompt in [(line[:-3], line[-3:])]
        if prompt[2] in before
    ]
    told = 1 - SHARES["nothing"] - SHARES["others"]
    assert abs(len(own) - 6000 * told) <= 4 * (6000 * told * (1 - told)) ** 0.5
    skills = [
        (text[0], before[before.index(prompt[2]) + 1])
        for before, prompt, text in own
        if before[before.index(prompt[2]) + 1] in SIGNS
    ]
    follows = 0.8 + 0.2 / 4
    assert (
        abs(sum(a == b for a, b in skills) / len(skills) - follows)
        <= 4 * (follows * (1 - follows) / len(skills)) ** 0.5
    )
    assert all(
        int(text[1]) == result(text[0], int(line[-3]), int(line[-2])) for line, text in lines
    )
    assert max(len(line) for line, _ in lines) == 17 and RuleCorpus(num_lines=50).lines(
        1
    ) != RuleCorpus(num_lines=50).lines(2)


def test_a_kind_by_itself_tells_nothing_in_the_corpus() -> None:
    counts = Counter((line[-1], text[0]) for line, text in RuleCorpus(num_lines=12_000).lines(0))
    for kind in "abcdef":
        total = sum(counts[kind, sign] for sign in SIGNS)
        assert all(
            abs(counts[kind, sign] - total / 4) <= 4.5 * (total * 3 / 16) ** 0.5 for sign in SIGNS
        )


def test_the_corpus_is_of_its_own_split() -> None:
    seen = {line[-3:] for line, _ in RuleCorpus(num_lines=3000).lines(0)}
    assert not seen & {
        WORLD.problem(split, index).prompt
        for split in ("train", "evolve", "heldout")
        for index in range(600)
    }


@pytest.mark.parametrize("wrong", [{"follows": 1.1}, {"longest": 5}], ids=str)
def test_a_corpus_that_cannot_be_made_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="three lessons"):
        RuleCorpus(**wrong)  # type: ignore[arg-type]
