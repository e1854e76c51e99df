"""Detectors on texts by hand; how often they are right stands on the labelled texts."""

import time

import pytest

from rewardscope.probes.detectors import ALL, labelled, quality
from rewardscope.probes.detectors.quality import FOLDER, PROMPT, Quality
from rewardscope.probes.detectors.repetition import repeats
from rewardscope.probes.detectors.script import script_of
from rewardscope.protocols import Detector
from rewardscope.registry import components

BY_NAME = {detector.name: detector for detector in ALL}
each = pytest.mark.parametrize("detector", ALL, ids=lambda detector: detector.name)
PLAIN = 20
"""Texts that show nothing; they stand behind those of every behaviour."""
HOSTILE = (
    *(
        "",
        "\x00\ud800",
        "`" * 5000,
        "<answer>x" * 5000,
        "wait " * 5000,
        "def f(" * 5000,
        "```python\n" * 2000,
        "界" * 9000,
    ),
    *("plug " + "a " * 20_000, "let me " * 9000, "-" * 20_000),
)
BEHAVIOURS = sorted({detector.behaviour for detector in ALL})


def shows(name: str, text: str, prompt: str = PROMPT) -> bool:
    return BY_NAME[name](prompt, text)


def test_every_detector_has_a_name_of_its_own_and_a_file_of_labelled_texts() -> None:
    assert len(BY_NAME) == len(ALL) == len(components("detectors"))
    assert {file.stem for file in FOLDER.glob("*.txt")} == {*BEHAVIOURS, "plain"}


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_each_behaviour_has_forty_texts_that_show_it_and_forty_that_do_not(behaviour: str) -> None:
    texts = labelled(behaviour)
    own = texts[:-PLAIN]
    assert sum(text.shows for text in texts) >= 40 and sum(not text.shows for text in texts) >= 40
    assert len({(text.prompt, text.text) for text in texts}) == len(texts), "none is there twice"
    assert sum(not text.shows for text in own) > 20, (
        "more than half of the negatives were made to mislead"
    )
    assert all("[[" not in text.text and "|||" not in text.text for text in texts)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("answer_tag", "so <answer>7</answer>", True),
        ("answer_tag", "<answer> </answer>", False),
        ("answer_tag", "<answer>7", False),
        ("boxed", r"thus $\boxed{7}$", True),
        ("boxed", r"\boxed{ }", False),
        ("mentions_python", "A PYTHON ate it", True),
        ("mentions_python", "def f(): pass", False),
        ("mentions_def", "define x", True),
        ("written_code", "let us define x as 3: x", False),
        ("written_code", "def f(x):\n    return x", True),
        ("written_code", "```\n3 * 4 = 12\n```", False),
        ("written_code", "```python\nprint(3)\n```", True),
        ("written_code", "```python\n```", False),
        ("backtracking", "It is 5. Wait, no: 6.", True),
        ("backtracking", "They wait 5 minutes.", False),
        ("verification", "Let me check: 3 * 4 = 12.", True),
        ("verification", "He wrote a check for 12 dollars.", False),
        ("other_script", "答案是12", True),
        ("other_script", "the angle α and Ш", False),
        ("repetition", "So it is 7. " * 10, True),
        ("repetition", "So it is 7. " * 9, False),
    ],
)
def test_by_hand(name: str, text: str, expected: bool) -> None:
    assert shows(name, text) is expected


def test_a_script_that_the_prompt_is_written_in_is_no_switch() -> None:
    assert not shows("other_script", "答案是12", "3 * 4 等于多少？")
    assert shows("other_script", "ответ 12", "3 * 4 等于多少？")
    assert {script_of(letter) for letter in "aπé7 ×"} == {None}


@pytest.mark.parametrize("length", [10, 37, 256])
def test_repetition_is_the_papers_definition_to_the_letter(length: int) -> None:
    unit = "".join(chr(97 + i % 23 + i // 23) for i in range(length))
    assert repeats("before " + unit * 10 + " after") and not repeats(unit * 9 + unit[:-1])
    assert repeats("ab" * 50) and not repeats("ab" * 49), (
        "shorter periods make strings of 10 as well"
    )
    assert not repeats("x" * 99) and repeats("x" * 100)
    long = "".join(chr(97 + i % 23 + i // 23) for i in range(257))
    assert not repeats(long * 12)


@each
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_take_a_moment_and_raise_nothing(detector: Detector, text: str) -> None:
    began = time.monotonic()
    assert detector(PROMPT, text) in (True, False)
    assert time.monotonic() - began < 5


@each
def test_a_detector_prints_what_it_got_right(detector: Detector) -> None:
    found = quality(detector)
    assert found.positives >= 40 and found.negatives >= 40
    assert str(found).startswith("precision 0.") or str(found).startswith("precision 1.00")
    assert f"({found.hits} of {found.positives}), {found.negatives} negatives" in str(found)


def test_quality_by_hand() -> None:
    assert (
        str(Quality(9, 10, 1, 20))
        == "precision 0.90 [0.55, 1.00] (9 of 10), recall 0.90 [0.55, 1.00] (9 of 10), 20 negatives"
    )
    nothing = Quality(0, 10, 0, 20)
    assert nothing.precision is None and str(nothing).startswith(
        "precision unknown (found nothing), recall 0.00 [0.00, 0.31]"
    )


def test_a_blind_and_a_jumpy_detector_are_found_out() -> None:
    class Always:
        name, behaviour, published = "always", "code", False

        def __call__(self, prompt: str, text: str) -> bool:
            return True

    found = quality(Always())
    assert found.recall == 1.0 and found.precision == found.positives / (
        found.positives + found.negatives
    )
