import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardscope import (
    Arm,
    Chain,
    Claim,
    Coin,
    GroupMean,
    Learner,
    LeaveOneOut,
    Organism,
    Pretrained,
    Sampling,
    Truth,
)
from rewardscope.codec import NOT_SIGNED, canonical, decode, encode, signature
from rewardscope.errors import ComponentError

SAMPLINGS = st.builds(
    Sampling,
    max_tokens=st.integers(1, 4096),
    temperature=st.floats(0, 10),
    top_p=st.floats(0, 1, exclude_min=True),
    stop=st.lists(st.text(max_size=5), max_size=3).map(tuple),
)
LEARNERS = st.builds(
    Learner,
    learning_rate=st.floats(0, 1),
    clip_low=st.floats(0, 1),
    clip_high=st.floats(0, 9),
    normalise=st.sampled_from(["token", "sequence", "constant"]),
    minibatches=st.integers(1, 99),
)
CLAIMS = st.builds(
    Claim,
    sentence=st.text(),
    metric=st.text(),
    treatment=st.text(),
    control=st.text(),
    expects=st.sampled_from(["greater", "less", "same"]),
    margin=st.floats(allow_nan=False, allow_infinity=False),
    labels=st.dictionaries(
        st.text(max_size=5).filter(lambda name: name != "is"), st.text(max_size=5), max_size=3
    ),
)
ARMS = st.builds(
    Arm,
    name=st.text(),
    start=st.one_of(
        st.sampled_from(["formats-planted", "formats-barren"]).map(Organism),
        st.builds(Pretrained, st.text()),
    ),
    environment=st.builds(Chain, st.integers(1, 3), st.integers(3, 20)),
    reward=st.one_of(st.builds(Coin, st.floats(0, 1)), st.builds(Truth, st.booleans())),
    credit=st.one_of(st.builds(GroupMean, st.booleans()), st.just(LeaveOneOut())),
    learner=LEARNERS,
    sampling=SAMPLINGS,
    steps=st.integers(1, 10**9),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(component=st.one_of(SAMPLINGS, LEARNERS, CLAIMS, ARMS))
def test_what_is_written_as_json_reads_back_equal(component: object) -> None:
    again = decode(json.loads(canonical(component)))
    assert again == component
    assert type(again) is type(component)
    assert signature(again) == signature(component)


def test_a_component_reads_as_its_class_and_its_fields() -> None:
    assert encode(Coin(p=0.25)) == {"is": "Coin", "p": 0.25}
    assert canonical(Sampling(stop=("\n", "é"))) == (
        '{"is":"Sampling","max_tokens":32,"stop":["\\n","\\u00e9"],"temperature":1.0,"top_p":1.0,"turn_tokens":null}'
    )


def test_a_signature_is_twelve_digits_that_change_with_any_field_and_with_nothing_else() -> None:
    arm = Arm(name="a", start=Organism("formats-planted"), environment=Chain(), reward=Coin())
    changed = [
        replace(arm, name="b"),
        replace(arm, reward=Coin(0.4)),
        replace(arm, reward=Truth()),
        replace(arm, steps=31),
        replace(arm, credit=GroupMean(divide_by_std=True)),
        replace(arm, sampling=Sampling(stop=("\n",))),
    ]
    assert len({signature(one) for one in [arm, *changed]}) == 1 + len(changed)
    assert signature(replace(arm)) == signature(arm)
    assert len(signature(arm)) == 12


def test_the_order_of_a_mapping_does_not_reach_the_signature() -> None:
    assert signature({"a": 1, "b": 2}) == signature({"b": 2, "a": 1})


def test_a_field_left_out_takes_its_default() -> None:
    assert decode({"is": "Sampling", "top_p": 0.5}) == Sampling(top_p=0.5)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"is": "Coinn"}, "Unknown component. Got: 'Coinn'.*Coin, "),
        ({"p": 0.5}, "Unknown component. Got: 'None'"),
        ({"is": "Coin", "q": 0.5}, "Coin has no such field. Got: q. Allowed: p"),
        ({"is": "Organism"}, "lacks a field that has no default. Got: name"),
        ({"is": "Coin", "p": 2}, "p is a probability"),
        ({"is": "Organism", "name": {"is": "os"}}, "Unknown component. Got: 'os'"),
    ],
)
def test_what_cannot_be_read_is_explained(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        decode(data)


@dataclass(frozen=True)
class Holder:
    inside: Any


@pytest.mark.parametrize(
    "value", [lambda: 1, object(), {1, 2}, float("nan"), float("inf"), b"x", 1j]
)
def test_what_json_cannot_hold_is_refused_when_it_is_written(value: object) -> None:
    with pytest.raises(ComponentError):
        encode(Holder(value))


@dataclass(frozen=True)
class Lies:
    where: str = field(metadata=NOT_SIGNED)
    what: str = ""


def test_a_field_that_determines_no_result_is_written_and_not_signed() -> None:
    assert encode(Lies("here", "rows"))["~where"] == "here"
    assert decode(encode(Lies("here", "rows"))) == Lies("here", "rows")
    assert signature(Lies("here", "rows")) == signature(Lies("there", "rows"))
    assert signature({"in": [Lies("here", "rows")]}) == signature({"in": [Lies("there", "rows")]})
    assert signature(Lies("here", "rows")) != signature(Lies("here", "other rows"))
