"""The SkillBank: what earlier attempts taught, kept as state of a run and recalled into prompts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from rewardscope.codec import decode
from rewardscope.errors import CheckpointError, ComponentError
from rewardscope.experience.block import Block
from rewardscope.experience.entries import (
    GENERAL,
    KINDS,
    WORDINGS,
    Ask,
    Attempt,
    Entry,
    Kind,
    Note,
    category_of,
    plain,
)
from rewardscope.experience.recall import Known, OwnCategory, Query
from rewardscope.experience.similarity import Similarity
from rewardscope.experience.writers import ByPolicy
from rewardscope.protocols import Reader, Recall, Writer, Writes
from rewardscope.seeds import Address
from rewardscope.store import read_json, write_json
from rewardscope.types import Rollout, sealed

FILE = "bank.json"


@dataclass(frozen=True)
class SkillBank:
    """Experience that reaches the policy through its prompt: attempts become entries, entries are
    recalled before problems.

    Evidence is what attempts were told, by the arm's own reward. Before step 0 the untrained policy
    attempts ``first_problems`` of the split ``evolve``; every ``evolve_every`` steps the policy
    attempts ``evolve_problems`` others of it, with what it recalls, and the attempts of categories
    in which less than ``weak_below`` went well are written about, the worst first. No other split
    is read, unless ``from_training`` has every step's own groups written about as well.

    Source:
        SkillRL, arXiv:2602.08234, section 3 and algorithm 1 (weak_below 0.4). There the validation
            problems are those that are reported, ids repeat and nothing is ever rewritten
            (aiming-lab/SkillRL at 48c8446); here neither.
    """

    writer: Writer = ByPolicy()
    recall: Recall = OwnCategory()
    block: Block = Block()
    kinds: tuple[Kind, ...] = KINDS
    """What is filed: skills alone, lessons alone, all."""
    threshold: float = 1.0
    """Told reward from which on an attempt went well."""
    first_problems: int = 16
    """0 = the bank begins empty."""
    evolve_every: int = 0
    """0 = what was filed before step 0 stays as it is."""
    evolve_problems: int = 16
    weak_below: float = 0.4
    draws: int = 8
    """Completions per problem of the split ``evolve``."""
    from_training: bool = False
    most_entries: int = 64
    """Beyond it the least supported are let go, the longest unwritten first."""
    most_characters: int = 200
    """Of an entry."""
    alike: float = 0.9
    """Cosine from which on two notes without a topic say the same."""
    general_from: int = 3
    """Categories that have an entry of the same wording before it counts as holding in all."""

    def __post_init__(self) -> None:
        counts = min(self.draws, self.evolve_problems, self.most_entries, self.most_characters) >= 1
        rates = 0 <= self.weak_below <= 1 and 0 <= self.alike <= 1
        if (
            not counts
            or not rates
            or min(self.first_problems, self.evolve_every) < 0
            or self.general_from < 2
        ):
            raise ComponentError(
                "A bank cannot work with these numbers",
                value=self,
                allowed="draws, evolve_problems, most_entries, most_characters >= 1; "
                "first_problems, evolve_every >= 0; weak_below and "
                "alike between 0 and 1; general_from >= 2",
                do="Mend it in the study",
            )
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ComponentError(
                "A bank files some kinds of note",
                value=self.kinds,
                allowed=", ".join(KINDS),
                do="Mend it in the study",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether its writer does."""
        return self.writer.uses_truth

    @property
    def reads_evolve(self) -> bool:
        """Whether the environment needs a split ``evolve``."""
        return bool(self.first_problems or self.evolve_every)


@dataclass
class BankState:
    """The entries of a bank at some point of a run."""

    settings: SkillBank
    entries: tuple[Entry, ...] = ()
    """In the order of their ids."""
    next_id: int = 0
    revised: int = 0
    """Times an entry got another wording."""
    dropped: int = 0
    """Entries that the evidence turned against, or that became one with another."""
    evicted: int = 0
    refused: int = 0
    """Notes that could not be filed: empty, unreadable, too long for the block, of an unknown
    category.
    """

    _saved: ClassVar[tuple[str, ...]] = ("next_id", "revised", "dropped", "evicted", "refused")
    _known: Known | None = field(default=None, repr=False, compare=False)

    @classmethod
    def load(cls, settings: SkillBank, folder: Path) -> "BankState":
        """The bank that a checkpoint holds.

        Raises:
            CheckpointError: If it holds none.
        """
        if not (folder / FILE).is_file():
            raise CheckpointError(
                "A checkpoint lacks its bank",
                value=folder / FILE,
                do="Delete this directory and run the study again",
            )
        found = read_json(folder / FILE)
        entries = tuple(decode(entry, {"Entry": Entry}) for entry in found["entries"])
        state = cls(settings, entries)
        for name in cls._saved:
            setattr(state, name, int(found[name]))
        return state

    def save(self, folder: Path) -> None:
        """Writes ``bank.json``, whole or not at all."""
        write_json(
            folder / FILE,
            {"entries": self.entries, **{name: getattr(self, name) for name in self._saved}},
        )

    @property
    def counts(self) -> dict[str, float]:
        """What a step row says of it."""
        written = {"entries": len(self.entries), "written": self.next_id}
        return {
            f"experience/{name}": float(n)
            for name, n in (
                written | {name: getattr(self, name) for name in self._saved[1:]}
            ).items()
        }

    @property
    def known(self) -> Known:
        """The entries with their index."""
        if self._known is None or self._known.entries is not self.entries:
            self._known = Known(self.entries)
        return self._known

    def recalled(
        self, prompt: str, category: str, reader: Reader, address: tuple[Address, ...]
    ) -> tuple[str, ...]:
        """What stands before the prompt, in pieces that need only be joined.

        Raises:
            ComponentError: If the block's filler cannot make up its budget.
        """
        block = self.settings.block
        texts = self.settings.recall.texts(
            self.known, Query(prompt, category, block, reader, address)
        )
        return block.pieces(texts, prompt, reader)

    def attempts(self, rollouts: Sequence[Rollout], environment: object) -> list[Attempt]:
        """The completions that something was told about, as the writer may see them; categories
        that went worst come first.
        """
        settings, found = self.settings, dict[str, list[Attempt]]()
        for rollout in rollouts:
            view = rollout if settings.uses_truth else sealed(rollout)
            category = category_of(environment, rollout.problem.prompt)
            told = (
                [g.correct for g in rollout.grades]
                if settings.writer.files_by_truth
                else rollout.rewards or (None,) * len(rollout.grades)
            )
            for completion, said in zip(view.completions, told, strict=True):
                if said is not None:
                    won = (
                        bool(said) if settings.writer.files_by_truth else said >= settings.threshold
                    )
                    found.setdefault(category, []).append(
                        Attempt(category, view.problem, completion.said, won)
                    )
        order = sorted(
            found, key=lambda name: (sum(a.won for a in found[name]) / len(found[name]), name)
        )
        return [attempt for name in order for attempt in found[name]]

    def absorb(
        self,
        rollouts: Sequence[Rollout],
        environment: Writes,
        reader: Reader,
        ask: Ask,
        step: int,
        *,
        weak_only: bool = False,
    ) -> None:
        """Files what the writer makes of the attempts.

        Args:
            rollouts: Told groups.
            environment: Whose they are.
            reader: The policy as a reader.
            ask: The policy as a writer.
            step: Number of updates behind it.
            weak_only: Read the attempts of weak categories alone.
        """
        attempts = self.attempts(rollouts, environment)
        if weak_only:
            attempts = _of_weak_categories(attempts, self.settings.weak_below)
        if attempts:
            self.file(
                self.settings.writer.notes(attempts, environment, ask),
                {a.category for a in attempts},
                reader,
                step,
            )

    def file(self, notes: Sequence[Note], categories: set[str], reader: Reader, step: int) -> None:
        """Files notes: for or against what is there, or as new entries; then merges what holds
        everywhere, and lets go of what is too much.

        Raises:
            ComponentError: If a writer gave something that is no note.
        """
        votes: dict[tuple[str, str, str, str], tuple[Note, int]] = {}
        for note in notes:
            if not isinstance(note, Note):
                raise ComponentError(
                    f"{type(self.settings.writer).__name__} wrote something that is no note",
                    value=repr(note)[:200],
                    do="Mend the writer",
                )
            if note.kind not in self.settings.kinds:
                continue
            fair = self._fair(note, categories, reader)
            if fair is None:
                self.refused += 1
                continue
            first, number = votes.get((fair.kind, fair.category, fair.topic, fair.text), (fair, 0))
            votes[fair.kind, fair.category, fair.topic, fair.text] = (
                first,
                number + (-1 if fair.against else 1),
            )
        for note, number in votes.values():
            self._vote(note, number, step)
        self._merge_general()
        self._evict()

    def _fair(self, note: Note, categories: set[str], reader: Reader) -> Note | None:
        """The note with its text made plain; None where it cannot be filed."""
        text = plain(note.text, self.settings.most_characters)
        if (
            not text
            or note.category not in categories | {GENERAL}
            or not reader.plain(self.settings.block.write(text))
        ):
            return None
        return (
            replace(note, text=text) if self.settings.block.fits(text, note.about, reader) else None
        )

    def _vote(self, note: Note, number: int, step: int) -> None:
        """Adds votes for a wording (or takes them away) to the entry that it is about, or to a new
        one.
        """
        entry = self._same(note)
        if entry is None:
            if number > 0:
                votes = ((note.text, number),)
                new = Entry(
                    self.next_id,
                    note.kind,
                    note.category,
                    note.text,
                    note.topic,
                    votes,
                    note.problem,
                    note.about,
                    step,
                )
                self.entries, self.next_id = (*self.entries, new), self.next_id + 1
            return
        counts = dict(entry.votes)
        counts[note.text] = counts.get(note.text, 0) + number
        # sorted is stable, so a wording gives way only to one with more votes
        ordered = sorted(
            ((text, n) for text, n in counts.items() if n > 0), key=lambda pair: -pair[1]
        )[:WORDINGS]
        if not ordered:
            self.dropped += 1
            self.entries = tuple(other for other in self.entries if other is not entry)
            return
        self.revised += ordered[0][0] != entry.text
        changed = replace(entry, text=ordered[0][0], votes=tuple(ordered), step=step)
        self.entries = tuple(changed if other is entry else other for other in self.entries)

    def _same(self, note: Note) -> Entry | None:
        """The entry that the note is about: of its topic; or, without one, of its wording or the
        most alike.
        """
        peers = [
            entry
            for entry in self.entries
            if entry.kind == note.kind and entry.category in (note.category, GENERAL)
        ]
        if note.topic:
            found = [
                e
                for e in peers
                if e.topic == note.topic and (e.category == note.category or e.text == note.text)
            ]
            return found[0] if found else None
        peers = [entry for entry in peers if not entry.topic]
        for entry in peers:
            if note.text in dict(entry.votes):
                return entry
        cosines = Similarity([entry.text for entry in peers]).to(note.text) if peers else []
        best = max(range(len(peers)), key=lambda place: cosines[place], default=None)
        return peers[best] if best is not None and cosines[best] >= self.settings.alike else None

    def _merge_general(self) -> None:
        """Makes one entry of those that say the same in so many categories that it holds in all:
        common skills, common mistakes.
        """
        alike: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            alike.setdefault((entry.kind, entry.text), []).append(entry)
        for same in alike.values():
            if len({entry.category for entry in same} - {GENERAL}) >= self.settings.general_from:
                kept = replace(
                    same[0],
                    category=GENERAL,
                    votes=((same[0].text, sum(entry.support for entry in same)),),
                )
                gone = {entry.id for entry in same[1:]}
                self.dropped += len(gone)
                self.entries = tuple(
                    kept if e.id == kept.id else e for e in self.entries if e.id not in gone
                )

    def _evict(self) -> None:
        """Lets go of what is beyond the cap."""
        beyond = len(self.entries) - self.settings.most_entries
        if beyond > 0:
            gone = {
                entry.id
                for entry in sorted(
                    self.entries, key=lambda entry: (entry.support, entry.step, entry.id)
                )[:beyond]
            }
            self.evicted += len(gone)
            self.entries = tuple(entry for entry in self.entries if entry.id not in gone)


def _of_weak_categories(attempts: Sequence[Attempt], below: float) -> list[Attempt]:
    """The attempts of the categories in which less than ``below`` went well."""
    found: dict[str, list[bool]] = {}
    for attempt in attempts:
        found.setdefault(attempt.category, []).append(attempt.won)
    weak = {category for category, won in found.items() if sum(won) / len(won) < below}
    return [attempt for attempt in attempts if attempt.category in weak]
