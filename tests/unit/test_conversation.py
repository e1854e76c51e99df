"""A conversation as one text and back, and what the policy reads of it."""

import copy
import dataclasses

import pytest

from rewardscope.conversation import messages_of, user_text, written
from rewardscope.errors import ModelError, RewardscopeError
from rewardscope.policy import Policy

CHAT = [
    {"role": "system", "content": "Be brief.\n"},
    {"role": "user", "content": "1+2\n\nor so?"},
    {"role": "assistant", "content": ""},
    {"role": "user", "content": "3*4?"},
]


def test_what_was_written_is_read_back() -> None:
    assert messages_of(written(CHAT)) == CHAT
    assert messages_of("plain ⟦text⟧") is None
    assert user_text(written(CHAT)) == "3*4?"
    assert user_text("plain") == "plain"


def test_what_stands_in_front_belongs_to_the_last_message() -> None:
    messages = messages_of("recalled: x\n" + written(CHAT) + " behind")
    assert messages is not None
    assert messages[:-1] == CHAT[:-1]
    assert messages[-1]["content"] == "recalled: x\n3*4? behind"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "assistant", "content": "hi"}],
        [{"role": "tool", "content": "hi"}],
        [{"role": "user", "content": [{"type": "image"}]}],
        [{"role": "user", "content": "⟦user⟧\nhi"}],
        [{"role": "user", "content": "hi", "tool_calls": ["x"]}],
        ["hi"],
    ],
)
def test_what_text_cannot_hold_is_refused(messages: list[dict[str, object]]) -> None:
    with pytest.raises(RewardscopeError):
        written(messages)


def test_a_policy_gives_the_messages_to_its_template(planted: Policy) -> None:
    with pytest.raises(ModelError, match="has no chat template"):
        planted.encode(written(CHAT))
    tokenizer = copy.deepcopy(planted.tokenizer)
    policy = dataclasses.replace(planted, tokenizer=tokenizer)
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    digits = [{"role": "user", "content": "1+2?"}, {"role": "user", "content": "3*4?"}]
    assert policy.decode(policy.encode(written(digits))) == "1+2?3*4?"
    assert policy.decode(policy.encode("1+2?")) == "1+2?"
    tokenizer.chat_template = "{{ raise_exception('no system here') }}"
    with pytest.raises(ModelError, match=r"template refuses.*no system here"):
        policy.encode(written(CHAT))
