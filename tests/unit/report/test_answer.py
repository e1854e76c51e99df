import dataclasses

import pytest

from report_run import verdicts
from rewardscope.report.answer import Sentence, tally, write_answer
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


def test_refuted_contradicts_the_claim_with_the_same_evidence() -> None:
    sentence = sentences()[1]
    assert sentence.text.startswith(
        "The measurements contradict the claim “Coin-flip rewards leave"
    )
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
