import dataclasses
from typing import Any

import pytest

from report_run import verdicts
from rewardscope.report.answer import (
    Sentence,
    error_phrase,
    seeds_phrase,
    tally,
    write_answer,
)
from rewardscope.report.sketch import draw_sketches
from rewardscope.types import Outcome, Verdict

PLACEBOS = {
    "planted-truth": False,
    "planted-coin": True,
    "barren-truth": False,
    "barren-coin": True,
}


def sentences() -> list[Sentence]:
    return write_answer(verdicts(), PLACEBOS)


def test_supported_says_the_claim_and_carries_estimate_interval_and_counts() -> None:
    sentence = sentences()[0]
    assert (
        sentence.text
        == "True rewards raise held-out pass@1 of the planted start more than coin-flip rewards do."
    )
    assert sentence.evidence == (
        "pass@1: 0.861 in planted-truth, 0.509 in planted-coin (placebo); difference +0.352 (95 % "
        "interval +0.241 to +0.468); "
        "3 seeds × 48 problems."
    )
    assert sentence.anchor == "verdict-1"


def test_refuted_says_what_the_interval_says_with_the_same_evidence() -> None:
    sentence = sentences()[1]
    assert sentence.text.startswith("The two differ by more than 0.05: “Coin-flip rewards leave")
    assert (
        "0.564 before training; difference −0.117 (95 % interval −0.176 to −0.061); 3 seeds × 48 "
        "problems." in sentence.evidence
    )


def test_undecided_says_what_the_study_could_have_seen() -> None:
    sentence = sentences()[2]
    assert sentence.text.startswith("The measurements do not decide the claim")
    assert sentence.evidence.endswith(
        "The smallest true difference that this study would detect with 80 % power is 0.100."
    )


def test_not_run_gives_its_reason_and_no_number() -> None:
    sentence = sentences()[4]
    assert sentence.text.startswith("Nothing was measured for the claim")
    assert sentence.evidence == "Reason: cell barren-coin--s2 failed: out of memory."


def test_one_seed_has_no_interval_and_no_smallest_effect() -> None:
    one = dataclasses.replace(
        verdicts()[0],
        outcome=Outcome.UNDECIDED,
        lower=None,
        upper=None,
        smallest_visible=None,
        num_seeds=1,
        interval="none: one seed says nothing about other seeds",
    )
    (sentence,) = write_answer([one], PLACEBOS)
    assert (
        "(no interval: one seed says nothing about other seeds); 1 seed × 48 problems."
        in sentence.evidence
    )
    assert "Without an interval" in sentence.evidence
    assert draw_sketches([one])[0].interval is None


def test_a_metric_without_problems_counts_seeds_alone() -> None:
    whole = dataclasses.replace(verdicts()[0], num_problems=0)
    assert write_answer([whole], PLACEBOS)[0].evidence.endswith("; 3 seeds.")


def test_tally_names_every_outcome_even_those_no_claim_had() -> None:
    assert (
        tally(verdicts())
        == "5 claims were fixed before the run: 2 supported, 1 refuted, 1 undecided, 1 not run."
    )
    assert (
        tally(verdicts()[:1])
        == "1 claim was fixed before the run: 1 supported, 0 refuted, 0 undecided, 0 not run."
    )


def test_tally_does_not_call_changed_claims_fixed() -> None:
    assert tally(verdicts(), changed=True).startswith("5 claims, changed after the run had begun: ")


def test_sketches_share_a_scale_per_unit_and_skip_what_was_not_run() -> None:
    sketches = draw_sketches(verdicts())
    assert sketches[4] is None
    assert all(sketch is not None for sketch in sketches[:4])
    assert len({sketch.zero for sketch in sketches[:4] if sketch}) == 1
    assert sketches[0].estimate > sketches[2].estimate > sketches[0].zero > sketches[1].estimate


@pytest.mark.parametrize("place", range(5))
def test_every_outcome_gets_a_sentence_with_evidence(place: int) -> None:
    verdict: Verdict = verdicts()[place]
    sentence = sentences()[place]
    assert sentence.outcome is verdict.outcome
    assert sentence.evidence
    assert sentence.anchor == f"verdict-{place + 1}"


@pytest.mark.parametrize(
    ("lower", "upper", "expects", "margin", "text"),
    [
        (0.027, 0.032, "greater", 0.05, "There is a difference, smaller than the 0.05 that"),
        (-0.032, -0.027, "less", 0.05, "There is a difference, smaller than the 0.05 that"),
        (-0.02, 0.03, "greater", 0.05, "No difference as large as the 0.05 that the claim needs"),
        (-0.3, -0.2, "greater", 0.05, "The difference has the other sign"),
        (-0.3, -0.2, "greater", 0.0, "The difference has the other sign"),
        (0.2, 0.3, "less", 0.0, "The difference has the other sign"),
        (0.2, 0.3, "same", 0.05, "The two differ by more than 0.05"),
    ],
)
def test_refuted_speaks_of_the_margin_or_of_the_sign(
    lower: float, upper: float, expects: Any, margin: float, text: str
) -> None:
    """+0.030 [+0.027, +0.032] at margin 0.05 contradicts nobody who expected a rise."""
    verdict = verdicts()[0]
    claim = dataclasses.replace(verdict.claim, expects=expects, margin=margin)
    refuted = dataclasses.replace(
        verdict, claim=claim, outcome=Outcome.REFUTED, lower=lower, upper=upper
    )
    (sentence,) = write_answer([refuted], PLACEBOS)
    assert sentence.text.startswith(text)
    assert sentence.text.endswith("is refuted.")


def test_a_call_says_its_error_alone_and_among_all() -> None:
    verdict = dataclasses.replace(verdicts()[0], error=0.012, error_of_all=0.084)
    assert error_phrase(verdict) == (
        "error 0.012, 0.084 by Holm's rule over all claims: it does not hold together with them"
    )
    holds = dataclasses.replace(verdict, error=1e-6, error_of_all=7e-6)
    assert error_phrase(holds) == (
        "error below 0.0001, below 0.0001 by Holm's rule over all claims"
    )
    assert error_phrase(dataclasses.replace(verdict, error=0.3)) == ""


def test_seeds_are_shown_one_by_one() -> None:
    seeds = {"0": 0.1, "1": 0.12, "2": -0.4, "3": 0.11}
    verdict = dataclasses.replace(
        verdicts()[0], by_seed=seeds, apart="2", median=0.105, improves=0.75
    )
    assert seeds_phrase(verdict) == (
        "by seed +0.100, +0.120, −0.400, +0.110; median +0.105; 75% of pairs of seeds improve; "
        "seed 2 stands apart with −0.400, and the interval is not made for that"
    )
