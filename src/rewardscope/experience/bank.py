"""The SkillBank: lessons of earlier attempts, kept in a run's state and recalled into prompts."""

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

    The evidence is the arm's own reward of each attempt. Before step 0 the untrained policy
    attempts ``first_problems`` problems of the split ``evolve``. Every ``evolve_every`` steps the
    policy attempts ``evolve_problems`` others of that split, with its entries recalled. Notes are
    written about the categories in which a share below ``weak_below`` went well, the worst first.
    No other split is read, unless ``from_training`` adds the groups of every step.

    Source:
        SkillRL, arXiv:2602.08234, section 3 and algorithm 1 (weak_below 0.4). Its code
            (aiming-lab/SkillRL at 48c8446) reports the same validation problems that it evolves on,
            repeats ids and never rewrites an entry. Ours does none of these.
    """

    writer: Writer = ByPolicy()
    recall: Recall = OwnCategory()
    block: Block = Block()
    kinds: tuple[Kind, ...] = KINDS
    """Kinds of notes that are filed: skills alone, lessons alone, all."""
    threshold: float = 1.0
    """An attempt with this reward or more went well."""
    first_problems: int = 16
    """0 = the bank begins empty."""
    evolve_every: int = 0
    """0 = the entries filed before step 0 stay as they are."""
    evolve_problems: int = 16
    weak_below: float = 0.4
    draws: int = 8
    """Completions per problem of the split ``evolve``."""
    from_training: bool = False
    most_entries: int = 64
    """Beyond it the entries with the least support are evicted; of these, the oldest writing first.
    """
    most_characters: int = 200
    """Longest text of an entry."""
    alike: float = 0.9
    """Two notes without a topic count as the same from this cosine on."""
    general_from: int = 3
    """Categories with the same wording before the entry counts for all categories."""

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
                "SkillBank has numbers outside their ranges",
                value=self,
                allowed="draws, evolve_problems, most_entries, most_characters >= 1; "
                "first_problems, evolve_every >= 0; weak_below and "
                "alike between 0 and 1; general_from >= 2",
                do="Correct it in the study file",
            )
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ComponentError(
                "SkillBank needs one or more kinds of note",
                value=self.kinds,
                allowed=", ".join(KINDS),
                do="Correct it in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether its writer reads the answer key."""
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
    """Times the wording of an entry changed."""
    dropped: int = 0
    """Entries dropped because votes turned against them, or merged into another."""
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
            CheckpointError: If the checkpoint has no bank.
        """
        if not (folder / FILE).is_file():
            raise CheckpointError(
                "A checkpoint lacks its bank",
                value=folder / FILE,
                do="Delete this directory and run the study again",
            )
        saved = read_json(folder / FILE)
        entries = tuple(decode(entry, {"Entry": Entry}) for entry in saved["entries"])
        state = cls(settings, entries)
        for name in cls._saved:
            setattr(state, name, int(saved[name]))
        return state

    def save(self, folder: Path) -> None:
        """Writes ``bank.json``, whole or not at all."""
        write_json(
            folder / FILE,
            {"entries": self.entries, **{name: getattr(self, name) for name in self._saved}},
        )

    @property
    def counts(self) -> dict[str, float]:
        """The bank's numbers for a step row."""
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
        """Text to put before the prompt, in pieces to be joined.

        Raises:
            ComponentError: If the block's filler cannot fill its budget exactly.
        """
        block = self.settings.block
        texts = self.settings.recall.texts(
            self.known, Query(prompt, category, block, reader, address)
        )
        return block.pieces(texts, prompt, reader)

    def attempts(self, rollouts: Sequence[Rollout], environment: object) -> list[Attempt]:
        """Completions with a reward, as the writer may see them; the worst categories first."""
        settings, by_category = self.settings, dict[str, list[Attempt]]()
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
                    by_category.setdefault(category, []).append(
                        Attempt(category, view.problem, completion.said, won)
                    )
        order = sorted(
            by_category,
            key=lambda name: (sum(a.won for a in by_category[name]) / len(by_category[name]), name),
        )
        return [attempt for name in order for attempt in by_category[name]]

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
        """Files the writer's notes on the attempts.

        Args:
            rollouts: Groups with rewards.
            environment: The environment they come from.
            reader: Counts tokens as the policy does.
            ask: Asks the policy for text.
            step: Number of updates so far.
            weak_only: Read only the attempts of weak categories.
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
        """Files notes as votes for or against existing entries, or as new entries. Then merges
        entries that hold in all categories, and evicts those beyond the cap.

        Raises:
            ComponentError: If a writer returned something else than a note.
        """
        votes: dict[tuple[str, str, str, str], tuple[Note, int]] = {}
        for note in notes:
            if not isinstance(note, Note):
                raise ComponentError(
                    f"{type(self.settings.writer).__name__} wrote something that is not a Note",
                    value=repr(note)[:200],
                    do="Correct the writer",
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
        """The note with plain text; None if it cannot be filed."""
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
        """Adds votes for a wording, or removes them, on the matching entry or a new one."""
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
        """The entry that the note is about: the one with its topic. A note without a topic matches
        by its wording, then by similarity.
        """
        peers = [
            entry
            for entry in self.entries
            if entry.kind == note.kind and entry.category in (note.category, GENERAL)
        ]
        if note.topic:
            matches = [
                e
                for e in peers
                if e.topic == note.topic and (e.category == note.category or e.text == note.text)
            ]
            return matches[0] if matches else None
        peers = [entry for entry in peers if not entry.topic]
        for entry in peers:
            if note.text in dict(entry.votes):
                return entry
        cosines = Similarity([entry.text for entry in peers]).to(note.text) if peers else []
        best = max(range(len(peers)), key=lambda index: cosines[index], default=None)
        return peers[best] if best is not None and cosines[best] >= self.settings.alike else None

    def _merge_general(self) -> None:
        """Merges entries with the same text in ``general_from`` or more categories into one that
        holds in all: common skills and common mistakes.
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
        """Evicts entries beyond the cap."""
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
    """Attempts of the categories in which a share of less than ``below`` went well."""
    outcomes: dict[str, list[bool]] = {}
    for attempt in attempts:
        outcomes.setdefault(attempt.category, []).append(attempt.won)
    weak = {category for category, won in outcomes.items() if sum(won) / len(won) < below}
    return [attempt for attempt in attempts if attempt.category in weak]
