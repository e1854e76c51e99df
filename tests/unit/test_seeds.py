import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardscope.seeds import generator, key, uniforms

ADDRESS = st.lists(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.floats(allow_nan=False)),
    max_size=4,
)


def test_a_key_is_the_same_number_on_every_machine() -> None:
    assert key() == 8180073448483349959
    assert key("train", 0, 3, "coin") == 11762860191523535529


def test_a_key_does_not_depend_on_the_process() -> None:
    command = "from rewardscope.seeds import key; print(key('train', 1, 'é', 0.5, True))"
    found = subprocess.run(
        [sys.executable, "-c", command],
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert int(found) == key("train", 1, "é", 0.5, True)


def test_neighbouring_addresses_are_told_apart() -> None:
    addresses = [
        ("a", 1),
        ("a", "1"),
        ("a", 1.0),
        ("a", True),
        ("a1",),
        ("a,1",),
        (1, "a"),
        ("a", 1, ""),
        ("a", -1),
    ]
    assert len({key(*address) for address in addresses}) == len(addresses)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(one=ADDRESS, other=ADDRESS)
def test_a_key_is_64_bits_and_equal_only_for_equal_addresses(
    one: list[str | int], other: list[str | int]
) -> None:
    assert 0 <= key(*one) < 2**64
    assert (key(*one) == key(*other)) == (repr(one) == repr(other))


def test_a_draw_depends_on_its_address_and_not_on_earlier_draws() -> None:
    fresh = generator("train", 5).random(4)
    generator("train", 4).random(1000)
    assert np.array_equal(generator("train", 5).random(4), fresh)
    assert not np.array_equal(generator("train", 6).random(4), fresh)


def test_a_row_of_uniforms_is_the_same_whatever_the_number_of_rows() -> None:
    assert np.array_equal(uniforms(3, 7, "noise"), uniforms(9, 7, "noise")[:3])


def test_uniforms_fill_the_unit_interval_evenly() -> None:
    draws = uniforms(100, 1000, "even")
    assert draws.min() >= 0 and draws.max() < 1
    counts, _ = np.histogram(draws, bins=20, range=(0, 1))
    assert (
        (counts - 5000) ** 2 / 5000
    ).sum() < 43.8  # chi-square with 19 degrees of freedom, 99.9 %
