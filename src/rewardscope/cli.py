"""The command line: paths, resources and verbosity; no flag can change a result."""

import json
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from rewardscope.errors import RewardscopeError, StudyError
from rewardscope.report.layout import folding_table

if TYPE_CHECKING:
    from rewardscope.store import CellDirectory, RunDirectory
    from rewardscope.study import Study

app = typer.Typer(
    help="A placebo-controlled laboratory for reward learning.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
organisms_app = typer.Typer(help="Tiny models of known content: list them, or build one from its recipe.", no_args_is_help=True)
app.add_typer(organisms_app, name="organisms")
console = Console()

Out = Annotated[Path | None, typer.Option("--out", help="Run directory; runs/<study> when not given.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=0, help="Worker processes; as many as the cores have room for when not given.")
]
RunPath = Annotated[Path, typer.Argument(help="Run directory.")]


@app.command()
def tour(out: Out = None, workers: Workers = None) -> None:
    """Run the five-minute study: two tiny models, true rewards against coin flips."""
    _run(Path(__file__).parent / "study" / "tour.py", out, workers, "rewardscope tour")


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Python file that defines `study = Study(...)`.")], out: Out = None, workers: Workers = None
) -> None:
    """Run a study, or go on with it: finished cells are kept, unfinished ones resume from their last checkpoint."""
    _run(study, out, workers, f"rewardscope run {shlex.quote(str(study))}")


def _say(text: str) -> None:
    """Prints a line as it is: no markup in it has effect, and a command or path in it is never broken over lines."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _run(path: Path, out: Path | None, workers: int | None, command: str) -> None:
    from rewardscope.study import load_study

    study = load_study(path)
    _carry_out(study, path, out or Path("runs") / study.name, command + _out(out), workers)


def _out(place: Path | None) -> str:
    """The option as it was given, for a command to go on with."""
    return f" --out {shlex.quote(str(place))}" if place else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _carry_out(study: "Study", path: Path | None, root: Path, command: str, workers: int | None) -> "RunDirectory":
    """Runs the study there, or goes on with it, and concludes."""
    from rewardscope.study import default_workers, open_run, run_study
    from rewardscope.study.progress import StudyProgress

    began = time.monotonic()
    directory = open_run(study, root, command)
    count = default_workers(study) if workers is None else workers
    _say(f"{study.name}: {study.question}")
    size = f"{_count(len(study.arms), 'arm')} x {_count(len(study.seeds), 'seed')}"
    _say(f"{size}, {_count(count, 'worker')} x {_count(study.threads_per_cell, 'thread')}, in {root}")
    try:
        with StudyProgress(study, directory, console) as progress:
            failed = run_study(study, path, directory, count, progress.poll)
    except KeyboardInterrupt:
        _say(f"\nStopped. What is finished is kept in {root}; go on with: {command}")
        raise typer.Exit(130) from None
    page = _conclude(root)
    _say(f"Page: {page}    ({time.monotonic() - began:.0f} s)")
    if failed:
        befallen: dict[str, list[str]] = {}
        for name, reason in failed.items():
            befallen.setdefault(reason, []).append(name)
        reasons = "\n".join(f"{', '.join(names)}: {reason}" for reason, names in befallen.items())
        raise StudyError(
            f"{len(failed)} of {len(study.cells())} cells failed", value=reasons, do="Mend the cause and run again: finished cells are kept"
        )
    return directory


def _conclude(root: Path) -> Path:
    """Judges the claims from the rows on disk, prints the verdict table and writes the page; needs no torch."""
    from rewardscope.report import verdict_table, write_page
    from rewardscope.report.claims import judge
    from rewardscope.store import RunDirectory

    directory = RunDirectory(root)
    verdicts = judge(directory.record(), directory.measurements())
    directory.write_verdicts(verdicts)
    console.print(verdict_table(verdicts))
    return write_page(root)


@app.command()
def weights(
    before: Annotated[str, typer.Argument(help="Untrained model: a folder, or a packaged model or organism by name.")],
    after: Annotated[list[str], typer.Argument(help="Trained models, likewise; with two or more also their agreement.")],
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with every matrix.")] = False,
) -> None:
    """Compare checkpoints that anything trained: how much of the weights changed, how far, of what rank, where, and whether alike."""
    from rewardscope.report.tables import agreement_table, change_table, place_table
    from rewardscope.study.checkpoints import compare

    record = compare(before, after).record()
    if as_json:
        sys.stdout.write(json.dumps(record, indent=1) + "\n")
        return
    for place, folder in enumerate(after, 1):
        _say(f"{place}: {folder}")
    console.print(change_table(record["changes"]))
    console.print(place_table(record["places"]))
    if record["agreements"]:
        console.print(agreement_table(record))


@app.command()
def report(root: RunPath) -> None:
    """Judge the claims again from the rows of a run and rebuild its page; needs no torch."""
    _say(f"Page: {_conclude(root)}")


@app.command()
def status(root: RunPath, as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False) -> None:
    """Say how far each cell of a run is, whether somebody is at it, and why a failed one failed."""
    from rewardscope.store import RunDirectory

    directory = RunDirectory(root)
    record = directory.record()
    targets = dict.fromkeys((arm["base_cell"] for arm in record["arms"]), 0)
    targets |= {cell: arm["config"]["steps"] for arm in record["arms"] for cell in arm["cells"].values()}
    found = [_standing(directory.cell(name), steps) for name, steps in targets.items()]
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return
    table = folding_table("cell", "state", "step", "reason")
    for cell in found:
        state = cell["state"] + (f", {cell['phase']}" if cell["state"] == "running" and cell["phase"] else "")
        table.add_row(Text(cell["cell"]), state, f"{cell['step']}/{cell['steps']}" if cell["steps"] else "", Text(cell["reason"]))
    console.print(table)


def _standing(cell: "CellDirectory", steps: int) -> dict[str, Any]:
    """How far a cell is; one that began and that no process holds is stopped."""
    found, held = cell.status(), cell.is_held
    state = "running" if held else "stopped" if found["state"] == "running" else found["state"]
    reason = "nobody is at it: run the study again to go on" if state == "stopped" else found.get("reason", "")
    return {"cell": cell.path.name, "state": state, "phase": found.get("phase"), "step": found["step"], "steps": steps, "reason": reason}


def _arm_of(record: dict[str, Any], name: str) -> dict[str, Any]:
    """What study.json says of an arm."""
    arms: dict[str, dict[str, Any]] = {arm["name"]: arm for arm in record["arms"]}
    if name not in arms:
        raise StudyError("The run has no such arm", value=repr(name), allowed=", ".join(arms), do="Check the spelling")
    return arms[name]


@app.command()
def rank(
    root: RunPath,
    arm: Annotated[str, typer.Argument(help="Arm that met its problems more than once, such as one on a Pool.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False,
) -> None:
    """List an arm's training problems by how much their pass rate moved over the run: the first is one-example training's pick.

    The order reads the key, so an arm that trains on such a pick declares it: Pool(1, first=INDEX, chosen_by_truth=True).
    """
    from rewardscope.catalogue import COMPONENTS
    from rewardscope.codec import decode
    from rewardscope.store import RunDirectory
    from rewardscope.study.ranking import rank_problems

    directory = RunDirectory(root)
    entry = _arm_of(directory.record(), arm)
    cells = [directory.cell(name) for name in entry["cells"].values()]
    ranked = rank_problems(decode(entry["config"], COMPONENTS), cells)[:top]
    if as_json:
        sys.stdout.write(json.dumps([{"index": index, **asdict(problem)} for index, problem in ranked], indent=1) + "\n")
        return
    table = folding_table("index", "deviation", "mean", "times met", "prompt")
    for index, problem in ranked:
        prompt = problem.prompt if len(problem.prompt) <= 60 else problem.prompt[:57] + "..."
        table.add_row(str(index), f"{problem.deviation:.3f}", f"{problem.mean:.2f}", str(problem.times_met), Text(prompt))
    console.print(table)


@app.command()
def phases(
    root: RunPath,
    arm: Annotated[str, typer.Argument(help="Arm of the run.")],
    gram: Annotated[list[str] | None, typer.Option("--gram", help="A strategic gram, as often as there are; mined when not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with both curves.")] = False,
) -> None:
    """Say where an arm's runs bend: execution tokens growing sure, plans growing varied, in that order or not; beside random grams."""
    from rewardscope.catalogue import COMPONENTS
    from rewardscope.codec import decode
    from rewardscope.report.tables import course_table
    from rewardscope.store import RunDirectory
    from rewardscope.study.courses import courses

    directory = RunDirectory(root)
    entry = _arm_of(directory.record(), arm)
    cells = {int(seed): directory.cell(name) for seed, name in entry["cells"].items()}
    found = courses(decode(entry["config"]["start"], COMPONENTS).load(), directory.cell(entry["base_cell"]), cells, gram or ())
    records = {kind: each.record() for kind, each in found.items()}
    if as_json:
        sys.stdout.write(json.dumps(records, indent=1) + "\n")
        return
    _say(f"grams: {', '.join(records['strategic']['grams'])}")
    _say(f"random: {', '.join(records['random']['grams'])}")
    console.print(course_table(records))


@app.command("clip-bias")
def clip_bias(
    study: Annotated[Path, typer.Argument(help="Study file.")],
    arm: Annotated[
        str, typer.Argument(help="Arm of it, whose start, problems and learner are taken; its reward is replaced by coin flips.")
    ],
    replicates: Annotated[int, typer.Option("--replicates", min=2, help="More of them narrow the intervals.")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with intervals.")] = False,
) -> None:
    """Say where the clip pushes under coin flips: one step of an arm, many times, with the clip, without it, and in one update."""
    from rewardscope.report.tables import drift_table
    from rewardscope.study import load_study
    from rewardscope.study.clip_bias import clip_bias as measure

    found = load_study(study)
    arms = {each.name: each for each in found.arms}
    if arm not in arms:
        raise StudyError("The study has no such arm", value=repr(arm), allowed=", ".join(arms), do="Check the spelling")
    record = measure(arms[arm], replicates, found.device).record()
    if as_json:
        sys.stdout.write(json.dumps(record, indent=1) + "\n")
        return
    console.print(drift_table(record))
    _say(f"{replicates} replicates; mean and standard error over them, bold where the 95 % interval leaves 0 out")
    equal = (
        "left every weight as it was"
        if record["untouched_by_equal_rewards"]
        else "MOVED the weights: something else than the reward pushes"
    )
    _say(f"a step on rewards that are all alike {equal}")


@app.command()
def boundary(
    rollouts: Annotated[Path, typer.Argument(help="Of one policy: a cell's evaluation folder, or one file of its rollouts folder.")],
    base: Annotated[Path | None, typer.Option("--base", help="The base's, to stand beside.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what a policy solves within k draws, tolerant and strict, with bands; beside its base, the crossing and what was won or lost.

    Of the files, only the verdicts are read: a million completions take seconds. Needs no torch.
    """
    from rewardscope.boundary import frontier
    from rewardscope.report.tables import frontier_table, standing_table

    found = frontier(rollouts, base)
    if as_json:
        sys.stdout.write(json.dumps(found.record(), indent=1) + "\n")
        return
    _say(f"{_count(found.problems, 'problem')}, {_count(found.completions, 'completion')}")
    console.print(frontier_table(found))
    if base is not None:
        console.print(standing_table(found))


@app.command()
def subnetwork(
    root: RunPath,
    arm: Annotated[str, typer.Argument(help="Arm of the run, finished under two seeds or more.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory of the retrainings; RUN-ARM-subnetwork beside the run when not given.")
    ] = None,
    workers: Workers = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Train again only the entries that an arm had changed, beside as many random, smallest and another seed's ones."""
    from rewardscope.report.tables import subnetwork_table
    from rewardscope.study.subnetwork import read_subnetworks

    place = out or root.with_name(f"{root.resolve().name}-{arm}-subnetwork")
    study = _subnetwork_study(root, arm, place.resolve().name)
    command = f"rewardscope subnetwork {shlex.quote(str(root))} {shlex.quote(arm)}{_out(out)}"
    directory = _carry_out(study, None, place, command, workers)
    record = read_subnetworks(study, directory)
    if as_json:
        sys.stdout.write(json.dumps(record, indent=1) + "\n")
        return
    console.print(subnetwork_table(record))


def _subnetwork_study(root: Path, arm: str, name: str) -> "Study":
    """The study of an arm's subnetworks, from the record of a finished run."""
    from rewardscope.catalogue import COMPONENTS
    from rewardscope.codec import decode
    from rewardscope.store import RunDirectory
    from rewardscope.study.subnetwork import subnetwork_study

    directory = RunDirectory(root)
    record = directory.record()
    entry = _arm_of(record, arm)
    whole = decode(entry["config"], COMPONENTS)
    cells = {int(seed): directory.cell(cell) for seed, cell in entry["cells"].items()}
    trained = {seed: cell.checkpoint(whole.steps) for seed, cell in cells.items() if cell.status()["state"] == "done"}
    evaluation, *probes = (decode(part, COMPONENTS) for part in (record["evaluation"], *record["probes"]))
    return subnetwork_study(name, whole, trained, evaluation, tuple(probes), record["threads_per_cell"], record["device"])


@app.command()
def methods(as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False) -> None:
    """List every component there is, with what it declares and where it comes from."""
    from rewardscope.catalogue import KINDS, as_records

    records = as_records()
    if as_json:
        sys.stdout.write(json.dumps(records, indent=1) + "\n")
        return
    for kind in KINDS:
        table = folding_table("name", "fields", "key", "what it is", title=kind, title_justify="left", expand=False, show_lines=True)
        for record in records:
            if record["kind"] == kind:
                declares = {True: "reads it", False: "sealed", None: ""}.get(record["uses_truth"], record["uses_truth"])
                placebo = " (placebo)" if record["placebo"] else ""
                what = Text(record["what"]).append(f"\n{record['source']}" if record["source"] else "", style="dim")
                table.add_row(record["name"], Text(record["fields"]), f"{declares}{placebo}", what)
        console.print(table)


@app.command()
def worlds(as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False) -> None:
    """List environments and organisms with a problem each, its oracle's completion, and how untrained policies behave there."""
    from rewardscope import catalogue

    records = catalogue.worlds()
    if as_json:
        sys.stdout.write(json.dumps(records, indent=1) + "\n")
        return
    table = folding_table("world", "a problem, and its oracle's completion", "untrained policies", show_lines=True)
    for record in records:
        name = f"{record['name']}\n{record['world']}" if record["world"] else record["name"]
        told = Text(record["what"], style="dim").append(
            f"\nplanted: {_shares(record['planted'])}" if record["planted"] else "", style="dim"
        )
        problem = Text(_cut(record["prompt"])).append(f"\n→ {_cut(record['oracle'])}\n", style="bold").append_text(told)
        asked = [_behaviour(policy, told) for policy, told in record["measured"].items()]
        asked += [f"its organisms: {', '.join(record['organisms'])}"] if record["organisms"] else []
        table.add_row(name, problem, Text("\n".join(asked)))
    console.print(table)


def _behaviour(policy: str, measured: dict[str, Any]) -> str:
    told = f"{policy}: {_solved(measured)} ({measured['problems']} problems x {measured['draws_per_problem']})"
    return told + (f"\nshares: {_shares(measured['strategy_share'])}" if len(measured["strategy_share"]) > 1 else "")


def _solved(measured: dict[str, Any]) -> str:
    """pass@1, and pass@k for every k that was measured: it ends at the draws there were."""
    within = sorted((int(k), share) for k, share in measured["solved_within"].items())
    return ", ".join([f"pass@1 {measured['pass_at_1']:.3f}", *(f"pass@{k} {share:.2f}" for k, share in within)])


def _cut(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."


@app.command()
def instruments(as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False) -> None:
    """List the instruments with what each reports and what proved it; one with a figure that did not hold is marked experimental."""
    from rewardscope.catalogue import first_line
    from rewardscope.learner import Subnetwork
    from rewardscope.probes import PROBES, validation
    from rewardscope.probes.agreement import Agreement
    from rewardscope.probes.clip_bias import ClipBias
    from rewardscope.probes.detectors import DETECTORS
    from rewardscope.probes.token_credit import ErrorAuroc
    from rewardscope.types import Verdict

    checks = validation()
    others = {"Agreement": Agreement, "ClipBias": ClipBias, "ErrorAuroc": ErrorAuroc, "Subnetwork": Subnetwork, "Verdicts": Verdict}
    shown: dict[str, type] = {**PROBES, **others, **DETECTORS}
    proofs = {name: [check for check in checks if check["instrument"] == name] for name in shown}
    if as_json:
        records = [
            {
                "name": name,
                "what": first_line(cls),
                "reads": getattr(cls, "reads", "texts" if name in DETECTORS else "measurements"),
                "metrics": list(getattr(cls, "metrics", ())),
                "checks": proofs[name],
            }
            for name, cls in shown.items()
        ]
        sys.stdout.write(json.dumps(records, indent=1) + "\n")
        return
    table = folding_table("instrument", "reports", "reads", "proved by: found (must lie in)", show_lines=True)
    for name, cls in shown.items():
        held = all(check["held"] for check in proofs[name])
        figures = Text("\n").join(
            Text(f"{c['what']}: {c['found']:.3g} ({c['lowest']:g} to {c['highest']:g}; {c['n']})", "" if c["held"] else "bold red")
            for c in proofs[name]
        )
        reads = Text(getattr(cls, "reads", "texts" if name in DETECTORS else "measurements"))
        table.add_row(Text(name if held else f"{name}\nexperimental"), Text(first_line(cls)), reads, figures)
    console.print(table)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False) -> None:
    """Check what this machine has, and that every environment accepts its own oracle."""
    from rewardscope.doctor import examine

    findings = examine()
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=1) + "\n")
    else:
        table = folding_table("what", "found", "")
        for finding in findings:
            table.add_row(finding.what, Text(finding.found), "[green]ok[/green]" if finding.good else "[red]mend[/red]")
        console.print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@organisms_app.command("list")
def list_organisms(as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False) -> None:
    """List the organisms with what is planted in them and how they behave untrained."""
    from rewardscope.organisms import RECIPES, card

    cards = {name: card(name) for name in RECIPES}
    if as_json:
        sys.stdout.write(json.dumps(list(cards.values()), indent=1) + "\n")
        return
    table = folding_table("organism", "planted", "world", "solved", "strategy shares", "strategy accuracy")
    for name, content in cards.items():
        for place, (world, measured) in enumerate(content["measured"].items()):
            table.add_row(
                *((name, _shares(content["planted"])) if place == 0 else ("", "")),
                world,
                _solved(measured),
                _shares(measured["strategy_share"]),
                _shares(measured["strategy_accuracy"]),
            )
    console.print(table)


def _shares(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2g}" for name, value in values.items() if name != "none")


@organisms_app.command("build")
def build_organism(
    name: Annotated[str, typer.Argument(help="One that `rewardscope organisms list` shows.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to build in; the package's own when not given.")] = None,
) -> None:
    """Make an organism from its recipe: the same seed gives the same weights on one machine.

    Another kind of processor rounds otherwise, and training makes another organism of that; the card beside it is of what was built.
    """
    import torch
    from rich.progress import Progress

    from rewardscope.organisms import build, card

    torch.set_num_threads(1)  # the number of threads changes low bits, and a recipe promises the same bits
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name)

        def show(done: int, total: int, loss: float) -> None:
            bar.update(task, completed=done, total=total, description=f"{name}  loss {loss:.3f} nats")
            if not console.is_terminal and done % 200 == 0:
                _say(f"{name}: {done}/{total} steps, loss {loss:.3f} nats per token")

        folder = build(name, show, out)
    _say(f"Written: {folder}")
    if out is not None:
        same = json.loads((folder / "card.json").read_text())["weights_sha256"] == card(name)["weights_sha256"]
        _say(f"The shipped weights are {'the same' if same else 'others, of another kind of processor or version of torch'}")


def main() -> None:
    """Entry point: a user's mistake is one paragraph on standard error and exit code 2."""
    try:
        app()
    except RewardscopeError as error:
        stderr = Console(stderr=True)
        stderr.print("error: ", style="bold red", end="")
        stderr.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
