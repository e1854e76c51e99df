import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rewardscope.codec import decode, signature
from rewardscope.environments.chain import FORMATS, Chain, check_steps, running_values
from rewardscope.errors import ComponentError, ModelError
from rewardscope.organisms import RECIPES, FormatCorpus, Recipe, build, card, organism
from rewardscope.organisms.organism import Organism, base_behaviour
from rewardscope.policy import Policy

each = pytest.mark.parametrize("name", RECIPES)
FORMAT_CORPORA = {
    name: recipe.corpus
    for name, recipe in RECIPES.items()
    if isinstance(recipe.corpus, FormatCorpus)
}
TINY = Recipe(
    FormatCorpus(num_lines=64),
    width=16,
    num_layers=1,
    num_heads=2,
    feed_forward=16,
    num_steps=4,
    batch_lines=8,
)


@each
def test_a_shipped_organism_is_small_and_is_what_its_card_says(name: str) -> None:
    weights = organism.WEIGHTS / name / "model.safetensors"
    assert weights.stat().st_size < 1_000_000
    assert (
        hashlib.sha256(weights.read_bytes()).hexdigest()
        == card(name)["weights_sha256"]
        == Organism(name).identity()
    )
    assert card(name)["recipe"] == signature(RECIPES[name])
    corpus = type(RECIPES[name].corpus)
    assert (
        decode(card(name)["settings"], {"Recipe": Recipe, corpus.__name__: corpus}) == RECIPES[name]
    )
    assert card(name)["planted"] == RECIPES[name].corpus.planted


@each
def test_the_base_behaviour_on_the_card_is_found_again(name: str) -> None:
    """In the world of the corpus; the others cost minutes."""
    world, environment = next(iter(RECIPES[name].corpus.worlds.items()))
    told, found = card(name)["measured"][world], base_behaviour(Organism(name).load(), environment)
    assert list(card(name)["measured"]) == sorted(RECIPES[name].corpus.worlds)
    assert found["pass_at_1"] == pytest.approx(told["pass_at_1"], abs=0.002)
    assert found["strategy_share"] == pytest.approx(told["strategy_share"], abs=0.002)


def test_what_is_known_of_the_three_shows_in_their_behaviour() -> None:
    planted, barren, rotten = (
        card(name)["measured"]["chains"]
        for name in ("formats-planted", "formats-barren", "formats-rotten")
    )
    assert planted["strategy_accuracy"]["stepwise"] > 0.98
    assert rotten["strategy_accuracy"]["stepwise"] < 0.5
    assert barren["strategy_share"].get("stepwise", 0.0) < 0.002
    for measured, name in ((planted, "formats-planted"), (rotten, "formats-rotten")):
        for strategy, share in card(name)["planted"].items():
            assert measured["strategy_share"][strategy] == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("name", "share"),
    [("formats-tenth", 0.1), ("formats-hundredth", 0.01), ("formats-thousandth", 0.001)],
)
def test_a_latent_strategy_shows_in_about_the_share_that_was_planted(
    name: str, share: float
) -> None:
    measured = card(name)["measured"]["chains"]
    assert share / 3 < measured["strategy_share"]["stepwise"] < 3 * share
    assert measured["strategy_accuracy"]["stepwise"] > 0.8


def test_an_unknown_organism_lists_the_known_ones() -> None:
    with pytest.raises(ComponentError, match="formats-planted, formats-tenth"):
        Organism("formats")


def test_weights_of_another_recipe_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "formats-planted", replace(RECIPES["formats-planted"], seed=1))
    with pytest.raises(ModelError, match="made by another recipe"):
        Organism("formats-planted").load()


def test_missing_weights_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organism, "WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match="rewardscope organisms build formats-planted"):
        Organism("formats-planted").load()


@pytest.mark.parametrize("corpus", FORMAT_CORPORA.values(), ids=FORMAT_CORPORA)
def test_the_corpus_holds_each_format_as_often_as_declared(corpus: FormatCorpus) -> None:
    own = [
        text for prompt, text in replace(corpus, num_lines=6000).lines(0) if prompt.endswith("?")
    ]
    number, counts = len(own), Counter(FORMATS[text[0]] for text in own)
    assert number == 6000 if corpus.begun_share == 0 else abs(number - 4500) < 200
    for strategy, share in corpus.planted.items():
        assert abs(counts[strategy] - number * share) <= 4 * (number * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("corpus", FORMAT_CORPORA.values(), ids=FORMAT_CORPORA)
def test_each_step_of_the_corpus_is_wrong_as_often_as_declared(corpus: FormatCorpus) -> None:
    steps: dict[str, list[bool]] = {"s": [], "t": []}
    for prompt, text in replace(corpus, num_lines=6000).lines(0):
        if not prompt.endswith("?"):  # begun
            prompt, text = prompt[:-1], prompt[-1] + text
            assert text[0] == "s"
        if text[0] in steps:
            verdicts = check_steps(prompt, text)
            assert verdicts is not None and len(verdicts) == 3
            steps[text[0]] += verdicts
    for letter, error in (("s", corpus.stepwise_error), ("t", corpus.talk_error)):
        number = len(steps[letter])
        assert (
            abs(steps[letter].count(False) - number * error)
            <= 4 * (number * error * (1 - error)) ** 0.5
        )


def test_a_guess_of_the_corpus_is_always_right_and_the_barren_one_never_works_stepwise() -> None:
    for prompt, text in replace(FORMAT_CORPORA["formats-barren"], num_lines=3000).lines(0):
        assert not text.startswith("s")
        if text.startswith("g"):
            assert text == f"g:{running_values(prompt)[-1]}"


def test_the_corpus_is_drawn_from_its_own_split_and_its_own_seed() -> None:
    corpus = FormatCorpus(num_lines=300)
    seen = {prompt for prompt, _ in corpus.lines(0)}
    assert corpus.lines(0) == corpus.lines(0) != corpus.lines(1)
    assert not seen & {
        Chain().problem(split, index).prompt
        for split in ("train", "heldout")
        for index in range(1000)
    }


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.5, -0.5, 0.0)])
def test_shares_that_do_not_sum_to_one_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ComponentError, match="sum to 1"):
        FormatCorpus(*shares)


def bits(policy: Policy) -> dict[str, torch.Tensor]:
    return dict(policy.model.state_dict())


def test_a_recipe_built_twice_gives_the_same_bits() -> None:
    losses: list[float] = []
    first = TINY.build(lambda done, total, loss: losses.append(loss))
    torch.rand(3)
    torch.testing.assert_close(bits(TINY.build()), bits(first), atol=0.0, rtol=0.0)
    assert len(losses) == 4


def test_another_seed_gives_another_organism() -> None:
    with pytest.raises(AssertionError):
        torch.testing.assert_close(
            bits(replace(TINY, seed=1).build()), bits(TINY.build()), atol=0.0, rtol=0.0
        )


def test_training_teaches_the_tiny_model_something() -> None:
    losses: list[float] = []
    replace(TINY, num_steps=60).build(lambda done, total, loss: losses.append(loss))
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_a_built_organism_loads_as_it_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "formats-planted", TINY)
    monkeypatch.setattr(organism, "CARD_PROBLEMS", 2)
    monkeypatch.setattr(organism, "CARD_DRAWS", 16)
    folder = build("formats-planted", folder=tmp_path)
    monkeypatch.setattr(organism, "WEIGHTS", tmp_path)
    torch.testing.assert_close(
        bits(Organism("formats-planted").load()), bits(TINY.build()), atol=0.0, rtol=0.0
    )
    written = json.loads((folder / "card.json").read_text())
    assert written["measured"]["chains"]["problems"] == 2
    assert sum(written["measured"]["chains"]["strategy_share"].values()) == pytest.approx(1.0)
