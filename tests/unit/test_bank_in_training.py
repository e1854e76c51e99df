"""A bank in a run: what is recalled is what was sampled from, what is written about, and what a
killed run comes back to.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experience_makers import BLOCK
from rewardscope import (
    Arm,
    Blank,
    Block,
    Boundary,
    ByPolicy,
    ByRule,
    Chain,
    Claim,
    Coin,
    Evaluation,
    Experience,
    House,
    HouseInWords,
    Imitation,
    Learner,
    Oracle,
    Organism,
    OtherCategory,
    OwnCategory,
    Pool,
    RandomText,
    Reserved,
    Rules,
    Sampling,
    SkillBank,
    Study,
    Trajectories,
    Truth,
    Uniform,
)
from rewardscope.errors import CheckpointError, ComponentError
from rewardscope.experience import BankState, category_of
from rewardscope.policy import pack, score
from rewardscope.store import CellDirectory, RunDirectory, read_measurements, read_rollouts
from rewardscope.study import open_run
from rewardscope.study.cells import run_cell
from rewardscope.training import train
from rewardscope.training.experience import PolicyReader
from rewardscope.types import Rollout

BANK = SkillBank(
    writer=ByRule(),
    block=BLOCK,
    first_problems=6,
    evolve_every=2,
    evolve_problems=4,
    draws=4,
    weak_below=1.0,
)
ARM = Arm(
    name="skills",
    start=Organism("rules"),
    environment=Rules(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=4),
    bank=BANK,
    steps=4,
    problems_per_step=4,
    completions_per_problem=4,
    checkpoint_every=2,
)
ARMS = {
    "skills": ARM,
    "none": replace(ARM, bank=replace(BANK, recall=Blank())),
    "shuffled": replace(ARM, bank=replace(BANK, recall=OtherCategory())),
    "random": replace(ARM, bank=replace(BANK, recall=RandomText(pieces=("5", "6", "7")))),
    "lessons": replace(ARM, bank=replace(BANK, kinds=("lesson",))),
    "skills only": replace(ARM, bank=replace(BANK, kinds=("skill",))),
    "trajectories": replace(ARM, bank=replace(BANK, writer=Trajectories("{prompt}{completion};"))),
    "uniform": replace(ARM, bank=replace(BANK, writer=Uniform())),
    "static": replace(ARM, bank=replace(BANK, evolve_every=0)),
    "from training": replace(
        ARM, bank=replace(BANK, first_problems=0, evolve_every=0, from_training=True)
    ),
    "by policy": replace(
        ARM,
        bank=replace(BANK, writer=ByPolicy(2, 4, "{prompt}{completion};", "{prompt}{completion};")),
    ),
    "coin": replace(ARM, reward=Coin()),
}


class Interrupted(Exception):
    pass


def trained(arm: Arm, folder: Path) -> CellDirectory:
    cell = CellDirectory(folder)
    train(arm, 0, cell, lambda done: None)
    return cell


def stored(cell: CellDirectory, kind: str = "rollouts") -> list[Rollout]:
    return [
        rollout
        for path in sorted((cell.path / kind).glob("*.parquet"))
        for rollout in read_rollouts(path)
    ]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CellDirectory]:
    return {
        name: trained(arm, tmp_path_factory.mktemp("bank") / "cell") for name, arm in ARMS.items()
    }


def bank_of(cells: dict[str, CellDirectory], name: str) -> BankState:
    settings = ARMS[name].bank
    assert settings is not None
    return BankState.load(settings, cells[name].checkpoint(4))


def test_all_arms_meet_the_same_problems_at_equal_prompt_tokens(
    cells: dict[str, CellDirectory],
) -> None:
    policy = ARM.start.load()
    met = {name: [rollout.problem.id for rollout in stored(cell)] for name, cell in cells.items()}
    assert all(ids == met["skills"] for ids in met.values())
    for name, cell in cells.items():
        for rollout in (*stored(cell), *stored(cell, "evolve")):
            longer = len(policy.encode(rollout.prompt)) - len(policy.encode(rollout.problem.prompt))
            assert longer == BLOCK.budget_tokens, name


def test_each_arm_recalls_what_it_says(cells: dict[str, CellDirectory]) -> None:
    def last(name: str) -> list[tuple[str, str]]:
        return [
            (rollout.problem.prompt[-1], text)
            for rollout in stored(cells[name])[-8:]
            for text in rollout.recalled[1:]
        ]

    assert last("skills") and all(text[0] == kind for kind, text in last("skills"))
    assert last("shuffled") and all(text[0] != kind for kind, text in last("shuffled"))
    assert not last("none")
    assert last("random") and all(set(text) <= set("567") for _, text in last("random"))
    assert last("lessons") and all(text[1] == "!" for _, text in last("lessons"))
    assert last("skills only") and all(text[1] != "!" for _, text in last("skills only"))
    assert last("trajectories") and all(
        len(text) == 6 and text[2] == kind for kind, text in last("trajectories")
    )
    assert last("from training")
    assert {entry.kind for entry in bank_of(cells, "uniform").entries} == {"skill"}


def test_everything_recalled_reaches_the_prompt_that_was_sampled_from(
    cells: dict[str, CellDirectory],
) -> None:
    """The paper's code dropped every dynamic skill on the way."""
    policy, first = ARM.start.load(), stored(cells["skills"])[:4]
    known = {entry.text for entry in bank_of(cells, "static").entries}
    assert any(len(rollout.recalled) > 1 for rollout in first)
    for rollout in first:
        assert rollout.prompt == "".join(rollout.recalled) + rollout.problem.prompt
        assert set(rollout.recalled[1:]) <= known
    batch = pack(policy, first, 1.0)
    assert batch.prompt_ids == tuple(policy.encode(rollout.prompt) for rollout in first)
    scored_NT = score(policy, batch).logprob_NT
    torch.testing.assert_close(
        scored_NT[batch.mask_NT], batch.sampler_logprob_NT[batch.mask_NT], atol=2e-5, rtol=0.0
    )
    alone = pack(policy, [replace(rollout, recalled=()) for rollout in first], 1.0)
    assert (
        score(policy, alone).logprob_NT - scored_NT
    ).abs().max() > 0.5  # the block is read, so leaving it out would show


def test_what_is_written_about_is_of_the_split_evolve_alone(
    cells: dict[str, CellDirectory],
) -> None:
    evolve = {rollout.problem.id for rollout in stored(cells["skills"], "evolve")}
    train_ids = {rollout.problem.id for rollout in stored(cells["skills"])}
    held = {Rules().problem("heldout", index).id for index in range(2000)}
    assert {entry.problem for entry in bank_of(cells, "skills").entries} <= evolve
    assert not evolve & (train_ids | held)
    assert sorted(path.name for path in (cells["skills"].path / "evolve").iterdir()) == [
        f"step_00000{n}.parquet" for n in (0, 2, 4)
    ]
    learnt = {entry.problem for entry in bank_of(cells, "from training").entries}
    assert learnt <= train_ids and not (cells["from training"].path / "evolve").exists()


def test_a_category_is_written_about_when_it_is_weak_and_by_its_own_failures(
    cells: dict[str, CellDirectory],
) -> None:
    for entry in bank_of(cells, "lessons").entries:
        assert entry.category == entry.about[-1] == entry.text[0]


def test_ids_are_counted_over_the_whole_run(cells: dict[str, CellDirectory]) -> None:
    for name in cells:
        bank = bank_of(cells, name)
        ids = [entry.id for entry in bank.entries]
        assert ids == sorted(set(ids)) and max(ids, default=-1) < bank.next_id


def test_a_step_row_says_what_became_of_the_bank(cells: dict[str, CellDirectory]) -> None:
    rows = cells["skills"].steps()
    assert rows[-1]["experience/entries"] == len(bank_of(cells, "skills").entries)
    assert 0 < rows[0]["experience/recalled"] <= 4
    assert {row["experience/recalled"] for row in cells["none"].steps()} == {0.0}


@pytest.mark.parametrize("name", ["skills", "from training", "by policy"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_killed_run_comes_back_to_the_same_bits_and_the_same_bank(
    cells: dict[str, CellDirectory], tmp_path: Path, name: str, steps: int
) -> None:
    def stop(done: int) -> None:
        if done == steps:
            raise Interrupted

    cut = CellDirectory(tmp_path)
    with pytest.raises(Interrupted):
        train(ARMS[name], 0, cut, stop)
    train(ARMS[name], 0, cut, lambda done: None)
    for file in ("model.safetensors", "bank.json"):
        assert (cut.checkpoint(4) / file).read_bytes() == (
            cells[name].checkpoint(4) / file
        ).read_bytes()
    assert stored(cut) == stored(cells[name])
    assert stored(cut, "evolve") == stored(cells[name], "evolve")


def test_a_checkpoint_whose_bank_was_touched_is_not_gone_on_from(tmp_path: Path) -> None:
    cell = trained(ARM, tmp_path)
    (cell.checkpoint(4) / "bank.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"bank\.json"):
        train(replace(ARM, steps=6), 0, cell, lambda done: None)


def test_without_a_bank_nothing_stands_before_a_problem(tmp_path: Path) -> None:
    cell = trained(replace(ARM, bank=None, steps=1), tmp_path)
    assert {rollout.recalled for rollout in stored(cell)} == {()}
    assert not (cell.checkpoint(1) / "bank.json").exists()
    assert not [column for column in cell.steps()[0] if column.startswith("experience/")]


def test_demonstrations_stand_behind_the_block_too(tmp_path: Path) -> None:
    arm = replace(
        ARM, demonstrations=Oracle(), credit=Imitation(), completions_per_problem=1, steps=1
    )
    found = stored(trained(arm, tmp_path))
    assert any(len(rollout.recalled) > 1 for rollout in found)
    assert all(
        len(rollout.prompt) == 17 and rollout.prompt.endswith(rollout.problem.prompt)
        for rollout in found
    )


def test_an_environment_without_the_split_is_refused_before_anything_runs() -> None:
    with pytest.raises(ComponentError, match="Reserved"):
        replace(ARM, environment=Chain())
    assert replace(ARM, environment=Reserved(Chain())).bank is not None
    assert replace(ARM, environment=Chain(), bank=ARMS["from training"].bank).bank is not None


def test_the_key_in_a_bank_is_declared() -> None:
    assert replace(ARM, bank=replace(BANK, writer=ByRule(files_by_truth=True))).uses_truth["bank"]
    assert not ARM.uses_truth["bank"] and not replace(ARM, bank=None).uses_truth["bank"]


def test_a_writer_that_the_environment_cannot_serve_stops_the_run_with_arm_and_step(
    tmp_path: Path,
) -> None:
    writable = replace(BANK, block=replace(BLOCK, filler=":"))
    arm = replace(
        ARM, environment=Reserved(Chain()), start=Organism("formats-planted"), bank=writable
    )
    with pytest.raises(
        ComponentError, match=r"cannot say what a completion teaches.*arm 'skills'.*step 0"
    ):
        train(arm, 0, CellDirectory(tmp_path), lambda done: None)


def test_text_that_would_end_or_structure_a_prompt_is_seen() -> None:
    reader = PolicyReader(ARM.start.load())
    assert (
        reader.plain("a+;") and not reader.plain("a+z") and not reader.plain("<end>")
    )  # z is no letter of this organism
    assert reader.tokens("12a") == 3


def test_evaluation_meets_the_frozen_bank_and_the_base_meets_the_problem_alone(
    tmp_path: Path,
) -> None:
    claim = Claim(
        sentence="It reads.",
        metric="experience/without_block",
        treatment="skills",
        control="none",
        expects="less",
    )
    study = Study(
        name="bank",
        question="?",
        arms=(
            replace(
                ARM,
                steps=1,
                bank=replace(BANK, kinds=("skill",), first_problems=24, draws=8, evolve_every=0),
            ),
            replace(ARMS["none"], name="none", steps=1),
        ),
        seeds=(0,),
        claims=(claim,),
        evaluation=Evaluation(problems=12, draws=16, readings=2),
        probes=(Boundary(max_k=2), Experience()),
    )
    run = open_run(study, tmp_path / "run", "")
    for cell in study.cells():
        run_cell(study, cell, run)
    (base, skills, none) = (run.cell(cell.name) for cell in study.cells())
    assert {rollout.recalled for rollout in stored(base, "evaluation")} == {()}
    found = {kind: stored(skills, kind) for kind in ("evaluation", "without", "swapped")}
    for whole, without, swapped in zip(*found.values(), strict=True):
        assert whole.problem == without.problem == swapped.problem
        assert len({len(r.prompt) for r in (whole, without, swapped)}) == 1
        assert without.recalled == ("." * BLOCK.budget_tokens,)
        assert all(text[0] == whole.problem.prompt[-1] for text in whole.recalled[1:])
        assert swapped.recalled[1:] and all(
            text[0] != whole.problem.prompt[-1] for text in swapped.recalled[1:]
        )
    assert (
        found["evaluation"] != stored(none, "evaluation")
        and found["without"][0].recalled == stored(none, "evaluation")[0].recalled
    )
    values = {
        row.metric: row.value
        for row in read_measurements(skills.measurements)
        if "problem" not in row.labels
    }
    assert values["experience/with_block"] > values["experience/without_block"] + 0.1  # type: ignore[operator]
    assert values["experience/lost_without"] == pytest.approx(
        values["experience/with_block"] - values["experience/without_block"]  # type: ignore[operator]
    )
    assert not (base.path / "without").exists()
    assert isinstance(run, RunDirectory)


def test_a_regime_that_reads_the_past_reads_the_same_with_a_bank(tmp_path: Path) -> None:
    cell = trained(replace(ARM, regime=Pool(3), steps=2), tmp_path)
    assert len({rollout.problem.id for rollout in stored(cell)}) <= 3


def test_a_bank_in_a_game_of_several_turns(tmp_path: Path) -> None:
    """The house: rules that need the layout write the recipe that won, and the recipe reaches the
    prompt before the first turn.
    """
    bank = SkillBank(
        writer=ByRule(sees_key=True),
        recall=OwnCategory(top=1),
        block=Block(8, "", "{text}", "|", ""),
        kinds=("skill",),
        first_problems=8,
        draws=4,
        evolve_every=1,
        evolve_problems=4,
        weak_below=1.0,
    )
    arm = Arm(
        name="house",
        start=Organism("house"),
        environment=Reserved(House()),
        reward=Truth(),
        bank=bank,
        steps=1,
        problems_per_step=4,
        completions_per_problem=2,
        sampling=Sampling(max_tokens=120, turn_tokens=4),
    )
    assert arm.uses_truth["bank"]
    cell = trained(arm, tmp_path)
    entries = BankState.load(bank, cell.checkpoint(1)).entries
    assert entries and all(
        entry.text.startswith(f"{entry.category}=") and entry.text.endswith(";")
        for entry in entries
    )
    told = [rollout for rollout in stored(cell) if len(rollout.recalled) > 1]
    assert told and all(
        rollout.recalled[1][0] == rollout.problem.prompt[0] and rollout.recalled[-1] == "|"
        for rollout in told
    )
    assert {
        turns is not None for rollout in stored(cell) for turns in [rollout.completions[0].turns]
    } == {True}
    policy, first = arm.start.load(), stored(cell)
    batch = pack(policy, first, 1.0)
    torch.testing.assert_close(
        score(policy, batch).logprob_NT[batch.mask_NT],
        batch.sampler_logprob_NT[batch.mask_NT],
        atol=2e-5,
        rtol=0.0,
    )


def test_a_house_in_words_tells_its_categories_from_the_prompt() -> None:
    for index in range(40):
        short, words = House().problem("train", index), HouseInWords().problem("train", index)
        assert (
            category_of(House(), short.prompt)
            == category_of(HouseInWords(), words.prompt)
            == short.facts["category"]
        )
