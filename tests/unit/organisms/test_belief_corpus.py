import math
from dataclasses import replace

import pytest

from rewardscope.environments.sensors import Sensors, chance_of_yes, decile
from rewardscope.errors import ComponentError
from rewardscope.organisms import BeliefCorpus, card

NUMBER = 6000


def knows(prompt: str, text: str) -> bool:
    """Whether the line states the tenth of the chance of its own answer."""
    chance = chance_of_yes(prompt)
    return text[1] == decile(chance if text[0] == "y" else 1 - chance)


def test_answers_are_drawn_with_their_chance() -> None:
    """Of 6,000 lines those that answer yes are as many as the chances say, within four deviations;
    and so in each third of the chances.
    """
    lines = BeliefCorpus(num_lines=NUMBER).lines(0)
    for low, high in ((0.0, 1.01), (0.0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1.01)):
        chosen = [
            (chance_of_yes(prompt), text[0] == "y")
            for prompt, text in lines
            if low <= chance_of_yes(prompt) < high
        ]
        deviation = math.sqrt(sum(chance * (1 - chance) for chance, _ in chosen))
        assert (
            abs(sum(yes for _, yes in chosen) - sum(chance for chance, _ in chosen)) < 4 * deviation
        )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_confidences_know_the_chance_as_often_as_declared(share: float) -> None:
    """A line that states any digit hits the right one in a tenth of the cases."""
    corpus = BeliefCorpus(calibrated_share=share, num_lines=NUMBER)
    expected = share + (1 - share) / 10
    found = sum(knows(prompt, text) for prompt, text in corpus.lines(0))
    assert abs(found - NUMBER * expected) <= 4 * math.sqrt(NUMBER * expected * (1 - expected))
    assert corpus.planted == pytest.approx({"calibrated": share, "uninformed": 1 - share})


def test_uninformed_digits_are_all_alike() -> None:
    digits = [text[1] for _, text in BeliefCorpus(num_lines=NUMBER).lines(0)]
    assert all(
        abs(digits.count(str(digit)) - NUMBER / 10) < 4 * math.sqrt(NUMBER * 0.09)
        for digit in range(10)
    )


def test_no_prompt_of_another_split_was_seen_and_lines_have_their_seed() -> None:
    corpus = BeliefCorpus(num_lines=1000)
    seen = {prompt for prompt, _ in corpus.lines(0)}
    for split in ("train", "heldout"):
        assert not seen & {Sensors().problem(split, index).prompt for index in range(1000)}
    assert (
        replace(corpus, num_lines=50).lines(0)
        == corpus.lines(0)[:50]
        != replace(corpus, num_lines=50).lines(1)
    )


def test_a_share_outside_its_range_is_refused() -> None:
    with pytest.raises(ComponentError, match="between 0 and 1"):
        BeliefCorpus(calibrated_share=1.2)


def test_one_start_states_the_chance_and_the_other_any_digit() -> None:
    told = {
        name: card(f"belief-{name}")["measured"]["sensors"] for name in ("calibrated", "uninformed")
    }
    for measured in told.values():
        assert measured["confidence"]["stated_share"] > 0.99
        assert 0.6 < measured["pass_at_1"] < 0.85
    assert told["calibrated"]["confidence"]["distance"] < 0.08
    assert told["uninformed"]["confidence"]["mean"] == pytest.approx(0.5, abs=0.05)
    assert told["uninformed"]["confidence"]["distance"] > 0.25
