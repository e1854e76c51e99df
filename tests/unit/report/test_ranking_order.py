from rewardscope.report.ranking import rankings
from rewardscope.types import Claim, Outcome, Verdict

PLACEBOS = {"coin": True, "one": False, "two": False, "three": False, "four": False}


def verdict(
    arm: str,
    estimate: float,
    half: float | None,
    control: str = "coin",
    metric: str = "boundary/pass_at_k",
) -> Verdict:
    low, high = (None, None) if half is None else (estimate - half, estimate + half)
    claim = Claim(
        sentence=f"{arm}.", metric=metric, treatment=arm, control=control, labels={"k": "1"}
    )
    return Verdict(
        claim=claim,
        outcome=Outcome.UNDECIDED,
        estimate=estimate,
        lower=low,
        upper=high,
        unit="share",
        interval="",
        num_seeds=3,
        num_problems=9,
        treatment_mean=0.5,
        control_mean=0.4,
        smallest_visible=None,
        evidence=(),
        reason="",
    )


def test_places_go_by_the_estimate_and_leave_open_what_the_intervals_leave_open() -> None:
    rows = [
        verdict("one", 0.1, 0.05),
        verdict("two", 0.5, 0.1),
        verdict("three", 0.45, 0.1),
        verdict("four", 0.2, 0.15),
    ]
    (ranking,) = rankings(rows, PLACEBOS, lambda claim: 0.3)
    found = [
        (place.verdict.claim.treatment, place.number, place.best, place.worst, place.anchor)
        for place in ranking.places
    ]
    # two and four are 0.3 apart, 7.2 of the 0.042 that their half widths make of a standard error
    # at 2 degrees of freedom; three and four 6.0: errors 0.002 and 0.004, which hold by Holm's rule
    assert found == [
        ("two", 1, 1, 2, "verdict-2"),
        ("three", 2, 1, 2, "verdict-3"),
        ("four", 3, 3, 4, "verdict-4"),
        ("one", 4, 3, 4, "verdict-1"),
    ]
    assert {place.untrained for place in ranking.places} == {0.3}


def test_two_arms_make_no_ranking_and_neither_do_claims_against_anything_but_a_placebo() -> None:
    assert (
        rankings([verdict("one", 0.1, 0.05), verdict("two", 0.5, 0.1)], PLACEBOS, lambda claim: 0.3)
        == []
    )
    assert (
        rankings(
            [verdict(arm, 0.1, 0.05, "base") for arm in ("one", "two", "three")],
            PLACEBOS,
            lambda claim: 0.3,
        )
        == []
    )
    assert (
        rankings(
            [verdict(arm, 0.1, 0.05, "four") for arm in ("one", "two", "three")],
            PLACEBOS,
            lambda claim: 0.3,
        )
        == []
    )


def test_metrics_are_ranked_apart_and_a_claim_without_an_interval_has_no_place() -> None:
    arms = ("one", "two", "three")
    rows = [verdict(arm, 0.1, 0.05) for arm in arms] + [
        verdict(arm, 0.1, 0.05, metric="behaviour/length_tokens") for arm in arms
    ]
    assert [len(ranking.places) for ranking in rankings(rows, PLACEBOS, lambda claim: 0.3)] == [
        3,
        3,
    ]
    (one, *_) = rankings([*rows[:3], verdict("four", 0.9, None)], PLACEBOS, lambda claim: 0.3)
    assert [place.verdict.claim.treatment for place in one.places] == ["one", "two", "three"]
