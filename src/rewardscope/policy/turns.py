"""A completion in the making, turn by turn: what the policy chose, and what it heard in between."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rewardscope.policy.policy import Policy
from rewardscope.types import Completion, Ending, Replies


def one_line(turn: str) -> str:
    """A turn as it is answered, graded and stored: line breaks become spaces, so that turns can
    stand one a line.
    """
    return turn.replace("\n", " ").strip()


def transcript(turns: Sequence[str], answers: Sequence[str]) -> str:
    """Turns and answers in the order in which they were said, one a line."""
    lines = [line for pair in zip(turns, answers, strict=False) for line in pair] + list(
        turns[len(answers) :]
    )
    return "\n".join(line.strip() for line in lines)


@dataclass
class Row:
    """One completion; without answers it is a single turn."""

    prompt: int
    """Place of its prompt."""
    member: int
    """Place in its group."""
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    chosen: list[bool] = field(default_factory=list)
    ending: Ending = Ending.LENGTH
    turns: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    begun: int = 0
    """Where among the tokens the turn begins that it is in."""
    heard: list[int] = field(default_factory=list)
    """Tokens of the last answer that it has yet to read."""

    @property
    def turn_ids(self) -> tuple[int, ...]:
        """Tokens of the turn that it is in."""
        return tuple(self.token_ids[self.begun :])

    def choose(self, token: int, logprob: float) -> None:
        """Adds a token that the policy chose."""
        self.token_ids.append(token)
        self.logprobs.append(logprob)
        self.chosen.append(True)

    def hear(self) -> int:
        """Adds the next token of the answer and returns it."""
        token = self.heard.pop(0)
        self.token_ids.append(token)
        self.logprobs.append(0.0)
        self.chosen.append(False)
        self.begun = len(self.token_ids)
        return token

    def answered(self, policy: Policy, replies: Replies) -> bool:
        """Ends the turn, has it answered, and says whether that was the last one."""
        self.turns.append(one_line(policy.decode(self.turn_ids)))
        ended, self.begun = self.token_ids[-1] in policy.end_ids, len(self.token_ids)
        if len(self.turns) >= replies.max_turns:
            self.ending = Ending.TURNS
            return True
        answer = replies.to(self.prompt, self.turns)
        if answer is None:
            self.ending = Ending.OVER
            return True
        self.answers.append(answer)
        self.heard = list(policy.encode_reply(answer, ended=ended))
        return False

    def completion(self, policy: Policy, *, takes_turns: bool) -> Completion:
        """What it has become."""
        ids, logprobs = tuple(self.token_ids), tuple(self.logprobs)
        if not takes_turns:
            return Completion(policy.decode(ids), ids, logprobs, self.ending)
        if self.turn_ids:  # max_tokens cut a turn off, which is read as it stands
            self.turns.append(one_line(policy.decode(self.turn_ids)))
        return Completion(
            transcript(self.turns, self.answers),
            ids,
            logprobs,
            self.ending,
            tuple(self.chosen),
            tuple(self.turns),
        )


def written(
    policy: Policy, said: str, place: int, replies: Replies | None, max_tokens: int
) -> Completion:
    """What somebody else said, as a completion of the policy: its tokens up to ``max_tokens``, the
    answers among them; logprobs are 0.

    One that is cut says what its tokens say, so that what is graded is what can be imitated.

    Args:
        policy: Whose tokens it is written in.
        said: The turns, one a line; those after the end of the episode are left out. A single turn
            where nobody answers.
        place: Of the prompt.
        replies: Who answers; None = nobody.
        max_tokens: Most tokens.
    """
    if replies is None:
        ids = policy.encode_completion(said)
        if len(ids) <= max_tokens:
            return Completion(said, ids, (0.0,) * len(ids), Ending.END_TOKEN)
        return Completion(
            policy.decode(ids[:max_tokens]), ids[:max_tokens], (0.0,) * max_tokens, Ending.LENGTH
        )
    row = Row(place, 0)
    for turn in said.split("\n"):
        while row.heard and len(row.token_ids) < max_tokens:
            row.hear()
        ids = policy.encode_completion(turn)
        kept = ids[: max_tokens - len(row.token_ids)]
        for token in kept:
            row.choose(token, 0.0)
        row.ending = Ending.END_TOKEN if len(kept) == len(ids) else Ending.LENGTH
        if row.ending is Ending.LENGTH or row.answered(policy, replies):
            break
    return row.completion(policy, takes_turns=True)
