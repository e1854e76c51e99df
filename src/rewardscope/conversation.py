"""A conversation as one text, and back: how a prompt of several messages travels as a ``str``.

A problem's prompt is text everywhere: it is hashed, stored in Parquet, shown on a page. A chat of
several messages is therefore written with one mark per message::

    ⟦system⟧
    Be brief.
    ⟦user⟧
    What is 2 + 2?

The policy reads it back and gives the messages to the chat template of its tokenizer.
"""

import re
from collections.abc import Iterable, Mapping

from rewardscope.errors import RewardscopeError

ROLES = ("system", "user", "assistant")
MARK = re.compile(rf"^⟦({'|'.join(ROLES)})⟧\n", re.MULTILINE)
"""The line in front of each message."""
Message = dict[str, str]
"""``role`` and ``content``."""


def written(messages: Iterable[Mapping[str, object]]) -> str:
    r"""The conversation as one text; :func:`messages_of` is the inverse.

    >>> written([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])
    '⟦system⟧\nBe brief.\n⟦user⟧\nHi'

    Raises:
        RewardscopeError: If a message is not a role with text, there is none, the last one is not
            a user's, or a content holds such a mark itself.
    """
    parts, role = [], None
    for message in messages:
        role, content = _checked(message)
        parts.append(f"⟦{role}⟧\n{content}")
    if role != "user":
        raise RewardscopeError(
            "A prompt of chat messages must end with a user's message",
            value=f"last role {role!r}" if parts else "no messages",
            allowed="a list whose last message has the role 'user'",
            do="Leave the answer out of the messages and give it in the answer's column",
        )
    return "\n".join(parts)


def _checked(message: object) -> tuple[str, str]:
    """Role and content."""
    role = message.get("role") if isinstance(message, Mapping) else None
    content = message.get("content") if isinstance(message, Mapping) else None
    extra = sorted(set(message) - {"role", "content"}) if isinstance(message, Mapping) else []
    if role not in ROLES or not isinstance(content, str) or any(message[name] for name in extra):  # type: ignore[index]
        raise RewardscopeError(
            "A chat message cannot be written as text",
            value=repr(message)[:200],
            allowed=f"{{'role': ..., 'content': text}} with a role of {', '.join(ROLES)}; "
            "no images and no tool calls",
            do="Write each message like that",
        )
    if MARK.search(content + "\n"):
        raise RewardscopeError(
            "A chat message contains the mark between messages",
            value=repr(content)[:200],
            allowed="text without a line ⟦system⟧, ⟦user⟧ or ⟦assistant⟧",
            do="Remove the line",
        )
    return str(role), content


def is_conversation(prompt: str) -> bool:
    """Whether the text holds messages."""
    return MARK.search(prompt) is not None


def messages_of(prompt: str) -> list[Message] | None:
    """The messages that :func:`written` wrote; None for a plain text.

    Text before the first mark, such as the entries that a bank recalls, belongs to the last
    message: that is the question they were recalled for.
    """
    if "⟦" not in prompt or not is_conversation(prompt):
        return None
    before, *rest = MARK.split(prompt)
    messages = [
        {"role": role, "content": content.removesuffix("\n")}  # the line break before a mark
        for role, content in zip(rest[:-2:2], rest[1:-2:2], strict=True)
    ]
    return [*messages, {"role": rest[-2], "content": before + rest[-1]}]


def user_text(prompt: str) -> str:
    """The content of the last message, or the whole of a plain prompt."""
    messages = messages_of(prompt)
    return prompt if messages is None else messages[-1]["content"]
