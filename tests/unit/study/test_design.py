"""What a study cannot decide is said before it runs."""

from dataclasses import replace

import pytest

from rewardscope import Claim, Evaluation
from rewardscope.study.checks import check_study
from rewardscope.study.design import SHARES, design_notes, impossible
from rewardscope.study.tour import study as tour


def test_the_tour_names_the_claims_that_its_problems_cannot_support() -> None:
    notes = design_notes(tour)
    # margins 0.05, 0.01 and 0.02 at 64 problems, which never show less than 0.056
    assert len(notes) == 3
    assert "True rewards make no stepwise working" in notes[1] and "368 problems could" in notes[1]
    assert "±0.056" in notes[2] and "183 problems could" in notes[2]
    assert design_notes(replace(tour, evaluation=Evaluation(problems=368))) == []


@pytest.mark.parametrize(
    ("seeds", "says"),
    [(1, "With one seed no claim is decided"), (3, "3 seeds may be too few"), (5, None)],
)
def test_few_seeds_are_said_at_the_start(seeds: int, says: str | None) -> None:
    study = replace(tour, seeds=tuple(range(seeds)), evaluation=Evaluation(problems=400))
    assert [says in note for note in design_notes(study) if says] == ([True] if says else [])
    assert (design_notes(study) == []) == (says is None)


def test_no_claims_need_no_seeds() -> None:
    assert design_notes(replace(tour, seeds=(0,), claims=())) == []


def test_only_sameness_of_a_share_is_impossible() -> None:
    same = Claim(
        sentence="", treatment="a", control="b", metric=SHARES[0], expects="same", margin=0.01
    )
    assert impossible(same, 64) and not impossible(same, 368)
    assert not impossible(replace(same, expects="greater"), 64)
    assert not impossible(replace(same, metric="behaviour/length_tokens"), 64)


def test_they_are_among_what_is_told_before_a_run() -> None:
    assert set(design_notes(tour)) <= set(check_study(tour))
