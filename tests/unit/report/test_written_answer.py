"""The written answer of odd runs, as golden texts, and the rules behind its sentences."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from answer_runs import RUNS, against, arm, first_try, rows, run, verdict
from rewardscope.report.answer.contrasts import main_contrasts
from rewardscope.report.answer.headline import headline
from rewardscope.report.answer.inquiries import inquiries, problems_needed
from rewardscope.report.answer.limits import Why, why_open
from rewardscope.report.answer.notes import Cite, Notes, Said
from rewardscope.report.answer.price import price
from rewardscope.report.answer.study_file import study_source
from rewardscope.report.answer.surprises import surprises
from rewardscope.report.answer.written import Written, written
from rewardscope.report.marks import make_marks

GOLDEN = Path(__file__).parent / "answers"


def _written(name: str) -> Written:
    made = RUNS[name]()
    return written(made, make_marks(made.arms))


@pytest.mark.parametrize("name", RUNS)
def test_the_answer_of_an_odd_run_is_its_golden_text(name: str) -> None:
    assert _written(name).text + "\n" == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", RUNS)
def test_every_number_but_the_scope_is_cited_and_every_citation_leads_somewhere(name: str) -> None:
    made = _written(name)
    sentences = [made.headline, *made.more, *(s for _, some in made.parts for s in some)]
    sentences += [*made.unexpected, *made.unsaid[:-1]]
    letters = {note.mark for note in made.notes}
    claims = {str(place + 1) for place in range(len(RUNS[name]().verdicts))}
    for sentence in sentences:
        assert set(sentence.cites) <= letters | claims
        numbers = any(c.isdigit() for p in sentence.pieces if isinstance(p, str) for c in p)
        assert sentence.cites or not numbers or "more" in sentence.text, sentence.text
    outcomes = [p.outcome for s in sentences for p in s.pieces if isinstance(p, Cite)]
    assert (None in outcomes) == bool(letters)


def test_the_voice_is_descriptive_without_claims() -> None:
    made = _written("no_claims")
    assert made.headline.text.startswith("No claim was fixed") and not made.headline.cites
    assert not any(word in made.text for word in ("supported", "refuted", "Yes", "No, the"))


def test_supported_and_undecided_is_yes_in_part() -> None:
    arms = RUNS["mixed"]().arms
    yes = verdict(against("truth-one", "coin-one"), (0.3, 0.2, 0.4), (0.7, 0.4))
    open_ = verdict(against("truth-two", "coin-two"), (0.1, -0.2, 0.4), (0.5, 0.4))
    assert headline([yes, open_], arms).text == (
        "Yes in part; the rest is not decided. First-try accuracy is 0.30 higher than under coin "
        "flips in one [1]. First-try accuracy differs from that under coin flips by −0.20 to +0.40 "
        "in two [2]."
    )


def test_the_main_metric_is_the_one_most_claims_are_about() -> None:
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    length = against("truth", "coin", metric="behaviour/length_tokens", labels={})
    pass_1 = against("truth", "coin")
    found = [verdict(c, (0.3, 0.2, 0.4), (0.7, 0.4)) for c in (length, pass_1, pass_1)]
    assert [c.index for c in main_contrasts(found, [truth, coin])] == [1, 2]


def test_a_loss_that_the_placebo_shares_is_no_price() -> None:
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    base = [
        {
            **rows(truth, "diversity/distinct_answers", [4.0], k="16")[0],
            "arm": "base:one",
            "seed": None,
        }
    ]
    lost = [*base, *rows(truth, "diversity/distinct_answers", [2.0, 2.1, 1.9], k="16")]
    alone = run(
        [truth, coin], [*lost, *rows(coin, "diversity/distinct_answers", [4.1, 4.2], k="16")]
    )
    shared = run(
        [truth, coin], [*lost, *rows(coin, "diversity/distinct_answers", [2.0, 4.2], k="16")]
    )
    assert [s.text for s in price(alone, [], Notes())] == [
        "16 draws now hold 2.0 different answers, before 4.0; under coin flips 4.2 [a]."
    ]
    assert price(shared, [], Notes())[0].text.startswith("No loss of diversity")


def test_a_placebo_whose_seeds_moved_is_told() -> None:
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    moved = rows(coin, "boundary/difference", [-0.05, 0.04, 0.01], spread=0.02, k="1")
    assert [s.text for s in surprises(run([truth, coin], moved), Notes())] == [
        "Coin flips are not inert in one: 2 of 3 runs changed first-try accuracy by more than the "
        "draw of problems explains (−0.050 and +0.040) [a]."
    ]
    still = rows(coin, "boundary/difference", [-0.05, 0.01, 0.01], spread=0.02, k="1")
    assert surprises(run([truth, coin], still), Notes()) == []


def test_a_treatment_that_only_fell_less_than_its_placebo_did_not_rise() -> None:
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    base = [{**first_try(truth, 0.6)[0], "arm": "base:one", "seed": None}]
    found = verdict(against("truth", "coin"), (0.3, 0.2, 0.4), (0.55, 0.25))
    made = run([truth, coin], [*base, *first_try(truth, 0.55), *first_try(coin, 0.25)], [found])
    assert [s.text for s in written(made, make_marks(made.arms)).more] == [
        "It did not rise in truth, though: it was 0.600 before training and is 0.550; the placebo "
        "fell further [a]."
    ]


def test_three_kinds_of_undecided() -> None:
    greater, same = against("truth", "coin"), against("truth", "base", 0.02, expects="same")
    small = verdict(greater, (0.1, 0.01, 0.2), (0.5, 0.4))
    noisy = verdict(greater, (0.1, -0.2, 0.4), (0.5, 0.4))
    impossible = verdict(same, (0.0, -0.056, 0.056), (0.5, 0.5))
    wide = verdict(same, (0.0, -0.3, 0.3), (0.5, 0.5))
    kinds = [why_open(v) for v in (small, noisy, impossible, wide)]
    assert kinds == [Why.SMALL, Why.NOISY, Why.IMPOSSIBLE, Why.NOISY]


def test_problems_needed_is_the_smallest_number() -> None:
    from rewardscope.stats import unseen_share

    count = problems_needed(0.01)
    assert count is not None and unseen_share(count) < 0.01 <= unseen_share(count - 1)


def test_the_study_file_of_a_line_is_a_study(tmp_path: Path) -> None:
    from rewardscope import load_study

    chain = {"is": "Chain", "min_steps": 3, "max_steps": 3}
    more: dict[str, Any] = {"environment": chain}
    more |= {"steps": 3, "problems_per_step": 2, "completions_per_problem": 2}
    arms = [
        arm(name, reward=r, credit={"is": "GroupMean"}, **more)
        for name, r in (("truth", "Truth"), ("coin", "Coin"))
    ]
    organism = {"is": "Organism", "name": "formats-planted"}
    arms = [replace(a, config={**a.config, "start": organism}) for a in arms]
    found = verdict(against("truth", "coin"), (0.2, 0.01, 0.4), (0.6, 0.4))
    made = run(arms, first_try(arms[0], 0.6, 0.5, 0.7), [found])
    lines = inquiries(made)
    assert [line.line.code for line in lines] == ["seeds=range(11)", "Arm(..., reward=Form())"]
    for number, line in enumerate(lines, 1):
        file = tmp_path / f"next{number}.py"
        file.write_text(study_source(made, line, number))
        study = load_study(file)
        assert study.name == f"odd-next-{number}"
        assert len(study.seeds) == (11 if number == 1 else 3)
        assert [a.name for a in study.arms][2:] == (["truth-form"] if number == 2 else [])


def test_a_guest_component_is_refused_by_name() -> None:
    from rewardscope.errors import RunDirectoryError

    truth = arm("truth", environment={"is": "mine:World"})
    made = run([truth], first_try(truth, 0.5))
    with pytest.raises(RunDirectoryError, match="mine:World"):
        study_source(made, inquiries(made)[0], 1)


def test_texts_of_others_stay_text() -> None:
    text = _written("long_texts").text
    assert "⟨U+202E⟩gnp.exe" in text and "\u202e" not in text
    assert Said(("plain",)).text == "plain"


def test_a_letter_is_given_once_for_the_same_rows() -> None:
    notes = Notes()
    first, again = notes.letter("m", "truth"), notes.letter("m", "truth")
    assert first == again and notes.letter("m", "coin").mark == "b"
    assert replace(first, mark="z").mark == "z"
