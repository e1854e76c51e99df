"""What every component keeps to: it is its own configuration."""

import dataclasses
import json
import pickle

import pytest

from rewardscope import (
    And,
    Arm,
    Chain,
    Claim,
    Curriculum,
    Detected,
    Evaluation,
    Form,
    Function,
    Gym,
    MentionsPython,
    Normalised,
    OfflineLabels,
    Organism,
    Overlong,
    Pattern,
    Planning,
    Plus,
    Pool,
    Pretrained,
    Questions,
    RewardFunction,
    Stored,
    Study,
    Subnetwork,
    Times,
    Truth,
    Verifiers,
)
from rewardscope.catalogue import as_records, fields_of, first_line
from rewardscope.codec import canonical, decode, encode, signature
from rewardscope.errors import ComponentError
from rewardscope.registry import BUILT_IN, components, named

ARM = Arm(name="truth", start=Organism("formats-planted"), environment=Chain(), reward=Truth())
CLAIM = Claim(
    sentence="It helps.",
    metric="boundary/pass_at_k",
    labels={"k": "1"},
    treatment="truth",
    control="base",
)


def same_text(prompt: str, completion: str, answer: str) -> bool:
    return completion == answer


def length(completion: str) -> float:
    return float(len(completion))


WITHOUT_DEFAULTS: dict[str, object] = {
    "And": And((Form(), And((Truth(), Detected(MentionsPython(), absent=True))))),
    "Detected": Detected(MentionsPython()),
    "Plus": Plus((Truth(), Form()), (1.0, -0.5)),
    "Times": Times((Truth(), Normalised(Form()))),
    "Arm": ARM,
    "Claim": CLAIM,
    "Curriculum": Curriculum(8),
    "Function": Function(same_text),
    "Gym": Gym("chain_sum"),
    "Normalised": Normalised(Truth()),
    "OfflineLabels": OfflineLabels("labels.jsonl"),
    "Organism": Organism("formats-planted"),
    "Overlong": Overlong(limit=8, buffer=4),
    "Planning": Planning(("so", "wait")),
    "Pattern": Pattern(r"#### (.+)"),
    "Pool": Pool(8),
    "Questions": Questions(
        {"train": "some.jsonl", "heldout": "others.jsonl"},
        prompt="{question}",
        grader=same_text,
        examples=(("1 + 1?", "2"),),
        split_names={"dev": "heldout"},
    ),
    "RewardFunction": RewardFunction(length),
    "Stored": Stored("runs/some/cells/one/rollouts"),
    "Pretrained": Pretrained("somebody/some-model"),
    "Verifiers": Verifiers("some-taskset"),
    "Subnetwork": Subnetwork(
        ((0, "runs/some/cells/one/checkpoints/step_000030"), (1, "elsewhere"))
    ),
    "Study": Study(
        name="s",
        question="?",
        arms=(ARM,),
        seeds=(0, 1),
        claims=(CLAIM,),
        evaluation=Evaluation(problems=4, readings=2),
    ),
}
COMPONENTS: dict[str, type] = {
    **{name: cls for kind in BUILT_IN for name, cls in components(kind).items()},
    **{
        name: named(name)
        for name in ("Arm", "Claim", "Evaluation", "Miner", "Reprompt", "Sampling", "Study")
    },
}
each = pytest.mark.parametrize("name", COMPONENTS)


def example(name: str) -> object:
    return WITHOUT_DEFAULTS[name] if name in WITHOUT_DEFAULTS else COMPONENTS[name]()


@each
def test_a_component_is_a_frozen_dataclass_with_a_sentence_about_it(name: str) -> None:
    cls = COMPONENTS[name]
    assert cls.__name__ == name
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert len(first_line(cls)) > 10
    assert not first_line(cls).startswith(
        f"{name}("
    )  # what dataclass writes where nobody wrote anything


@each
def test_a_component_reads_back_equal(name: str) -> None:
    component = example(name)
    again = decode(encode(component))
    assert again == component
    assert canonical(again) == canonical(component)
    assert signature(again) == signature(component)


@each
def test_a_component_crosses_processes_and_equals_its_copy(name: str) -> None:
    component = example(name)
    assert pickle.loads(pickle.dumps(component)) == component


@pytest.mark.parametrize("name", [name for name in COMPONENTS if name not in ("Claim", "Study")])
def test_a_component_can_be_a_key(name: str) -> None:
    """But for claims, whose labels are a mapping, and the studies that hold them."""
    assert hash(example(name)) == hash(decode(encode(example(name))))


@each
def test_a_field_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ComponentError, match="no such field"):
        decode({**encode(example(name)), "nonsense": 1})


@each
def test_the_list_of_fields_names_each_of_them(name: str) -> None:
    assert all(
        field.name in fields_of(COMPONENTS[name]) for field in dataclasses.fields(COMPONENTS[name])
    )


def test_no_two_tables_share_a_name() -> None:
    names = [name for table in BUILT_IN.values() for name in table]
    assert len(names) == len(set(names))


def test_every_component_is_listed_for_machines_with_where_it_comes_from() -> None:
    records = {record["name"]: record for record in json.loads(json.dumps(as_records()))}
    assert list(records) == [name for table in BUILT_IN.values() for name in table]
    assert records["Coin"] == {
        "kind": "rewards",
        "name": "Coin",
        "fields": "p=0.5",
        "uses_truth": False,
        "placebo": True,
        "what": "1 with probability p, 0 otherwise, whatever the completion says.",
        "source": "Shao et al. 2025, arXiv:2506.10947, section 2.2 "
        "(random reward, gamma = p = 0.5).",
        "package": "",
    }
    assert records["Planning"]["uses_truth"] == "as its base"
    assert records["Stored"]["uses_truth"] == "as its fields say"
    assert records["Chain"]["uses_truth"] is None
    assert all(record["source"] for record in records.values() if record["kind"] == "credits")
