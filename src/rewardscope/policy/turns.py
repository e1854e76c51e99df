"""A completion in progress, turn by turn: the policy's tokens, and the answers in between."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rewardscope.policy.growing import GrowingText
from rewardscope.policy.policy import Policy
from rewardscope.types import Completion, Ending, Replies


def one_line(turn: str) -> str:
    """A turn as it is answered, graded and stored: line breaks become spaces, so that each turn is
    one line.
    """
    return turn.replace("\n", " ").strip()


def transcript(turns: Sequence[str], answers: Sequence[str]) -> str:
    """Turns and answers in order, one per line."""
    lines = [line for pair in zip(turns, answers, strict=False) for line in pair] + list(
        turns[len(answers) :]
    )
    return "\n".join(line.strip() for line in lines)


@dataclass
class Row:
    """One completion; without answers it is a single turn."""

    prompt: int
    """Index of its prompt."""
    member: int
    """Index in its group."""
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    chosen: list[bool] = field(default_factory=list)
    ending: Ending = Ending.LENGTH
    turns: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    begun: int = 0
    """Position of the first token of the current turn."""
    heard: list[int] = field(default_factory=list)
    """Tokens of the last answer that are still to be read."""
    spoken: GrowingText | None = None
    """Text of the current turn, if anybody asks for it as it grows."""

    @property
    def turn_ids(self) -> tuple[int, ...]:
        """Tokens of the current turn."""
        return tuple(self.token_ids[self.begun :])

    def choose(self, token: int, logprob: float) -> None:
        """Adds a token that the policy chose."""
        self.token_ids.append(token)
        self.logprobs.append(logprob)
        self.chosen.append(True)

    def stops(self, policy: Policy, texts: Sequence[str]) -> bool:
        """Whether the last token completes one of the texts in the current turn; to be asked after
        every token.
        """
        if self.spoken is None:
            self.spoken = GrowingText(policy.decode)
        since = self.spoken.settled
        self.spoken.add(self.token_ids[-1])
        return self.spoken.ends(texts, since)

    def hear(self) -> int:
        """The next token of the answer, which is added to the row."""
        token = self.heard.pop(0)
        self.token_ids.append(token)
        self.logprobs.append(0.0)
        self.chosen.append(False)
        self.begun, self.spoken = len(self.token_ids), None
        return token

    def answered(self, policy: Policy, replies: Replies) -> bool:
        """Whether the completion has ended, after ending the turn and getting its answer."""
        self.turns.append(one_line(policy.decode(self.turn_ids)))
        ended, self.begun = self.token_ids[-1] in policy.end_ids, len(self.token_ids)
        self.spoken = None
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
        """The finished completion."""
        ids, logprobs = tuple(self.token_ids), tuple(self.logprobs)
        if not takes_turns:
            return Completion(policy.decode(ids), ids, logprobs, self.ending)
        if self.turn_ids:  # max_tokens cut a turn off, which still counts
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
    policy: Policy, said: str, prompt: int, replies: Replies | None, max_tokens: int
) -> Completion:
    """A given text as a completion of the policy: its tokens up to ``max_tokens``, with the answers
    among them; logprobs are 0.

    The text of a truncated completion is that of its tokens, so the graded text is the one to
    imitate.

    Args:
        policy: Tokenizes the text.
        said: The turns, one per line; those after the end of the episode are left out. A single
            turn without ``replies``.
        prompt: Index of the prompt.
        replies: Answers between turns; None = none.
        max_tokens: Most tokens.
    """
    if replies is None:
        ids = policy.encode_completion(said)
        if len(ids) <= max_tokens:
            return Completion(said, ids, (0.0,) * len(ids), Ending.END_TOKEN)
        return Completion(
            policy.decode(ids[:max_tokens]), ids[:max_tokens], (0.0,) * max_tokens, Ending.LENGTH
        )
    row = Row(prompt, 0)
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
