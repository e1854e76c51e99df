"""Commands that list what exists: components, worlds, instruments, organisms, and this machine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from rewardscope.cli.front import LIST, app, console, organisms_app, say, show_json
from rewardscope.registry import readable
from rewardscope.report.layout import folding_table


@app.command(rich_help_panel=LIST)
def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List every environment, reward, credit method, probe and other component."""
    from rewardscope.catalogue import as_records
    from rewardscope.registry import BUILT_IN

    records = as_records()
    if as_json:
        show_json(records)
        return
    for kind in BUILT_IN:
        table = folding_table(
            "name",
            "fields",
            "key",
            "what it is",
            title=kind,
            title_justify="left",
            expand=False,
            show_lines=True,
        )
        for record in records:
            if record["kind"] == kind:
                declares = {True: "reads it", False: "sealed", None: ""}.get(
                    record["uses_truth"], record["uses_truth"]
                )
                placebo = " (placebo)" if record["placebo"] else ""
                origin = f"from {record['package']}" if record["package"] else record["source"]
                about = Text(record["what"]).append(f"\n{origin}" if origin else "", style="dim")
                table.add_row(
                    Text(record["name"]), Text(record["fields"]), f"{declares}{placebo}", about
                )
        console.print(table)


@app.command(rich_help_panel=LIST)
def worlds(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List environments and organisms, each with an example problem.

    Also shows the oracle's completion of it, and how untrained policies do there.
    """
    from rewardscope import catalogue

    records = catalogue.worlds()
    if as_json:
        show_json(records)
        return
    table = folding_table(
        "world", "a problem, and its oracle's completion", "untrained policies", show_lines=True
    )
    for record in records:
        name = f"{record['name']}\n{record['world']}" if record["world"] else record["name"]
        about = Text(record["what"], style="dim").append(
            f"\nplanted: {_shares(record['planted'])}" if record["planted"] else "", style="dim"
        )
        problem = (
            Text(_cut(record["prompt"]))
            .append(f"\n→ {_cut(record['oracle'])}\n", style="bold")
            .append_text(about)
        )
        untrained = [_behaviour(policy, about) for policy, about in record["measured"].items()]
        untrained += (
            [f"its organisms: {', '.join(record['organisms'])}"] if record["organisms"] else []
        )
        table.add_row(name, problem, Text("\n".join(untrained)))
    console.print(table)


def _behaviour(policy: str, measured: dict[str, Any]) -> str:
    text = (
        f"{policy}: {_solved(measured)} ({measured['problems']} problems x "
        f"{measured['draws_per_problem']})"
    )
    return text + (
        f"\nshares: {_shares(measured['strategy_share'])}"
        if len(measured["strategy_share"]) > 1
        else ""
    )


def _solved(measured: dict[str, Any]) -> str:
    """pass@1, and pass@k for every measured k, up to the number of draws."""
    within = sorted((int(k), share) for k, share in measured["solved_within"].items())
    return ", ".join(
        [f"pass@1 {measured['pass_at_1']:.3f}", *(f"pass@{k} {share:.2f}" for k, share in within)]
    )


def _cut(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."


@app.command(rich_help_panel=LIST)
def instruments(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List the instruments, what each needs and the figures that proved it.

    Those that installed packages offer too. An instrument with a figure that did not hold is
    marked experimental.
    """
    from rewardscope.catalogue import instruments as all_instruments

    records = all_instruments()
    if as_json:
        show_json(records)
        return
    table = folding_table(
        "instrument", "reports", "needs", "validated by: found (must lie in)", show_lines=True
    )
    for record in records:
        checks = record["checks"]
        figures = Text("\n").join(
            Text(
                f"{c['what']}: {c['found']:.3g} ({c['lowest']:g} to {c['highest']:g}; {c['n']})",
                "" if c["held"] else "bold red",
            )
            for c in checks
        )
        more = f"\n{record['package']}" if record["package"] else ""
        more += "" if all(check["held"] for check in checks) else "\nexperimental"
        figures = figures if checks else Text("not validated")
        uses = f"\nmeasures more with: {', '.join(record['uses'])}" if record["uses"] else ""
        needs = Text(", ".join(record["needs"])).append(uses, style="dim")
        name = Text(readable(record["name"])).append(more)
        table.add_row(name, Text(record["what"]), needs, figures)
    console.print(table)


@app.command(rich_help_panel=LIST)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Check this machine and that every environment accepts its own oracle."""
    from rewardscope.doctor import examine

    findings = examine()
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        table = folding_table("what", "found", "")
        for finding in findings:
            table.add_row(
                finding.what,
                Text(finding.found),
                "[green]ok[/green]" if finding.good else "[red]fix[/red]",
            )
        console.print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@organisms_app.command("list")
def list_organisms(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List the organisms, what is planted in them, and how they behave untrained."""
    from rewardscope.organisms import RECIPES, card

    cards = {name: card(name) for name in RECIPES}
    if as_json:
        show_json(list(cards.values()))
        return
    table = folding_table(
        "organism", "planted", "world", "solved", "strategy shares", "strategy accuracy"
    )
    for name, content in cards.items():
        for index, (world, measured) in enumerate(content["measured"].items()):
            table.add_row(
                *((name, _shares(content["planted"])) if index == 0 else ("", "")),
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
    name: Annotated[str, typer.Argument(help="A name that `rewardscope organisms list` shows.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to build in. Default: the package's own."),
    ] = None,
) -> None:
    """Make an organism from its recipe.

    The recipe gives the same weights each time on one machine. Another kind of processor rounds
    differently and gives another organism; the card written beside it describes what was built.
    """
    import torch
    from rich.progress import Progress

    from rewardscope.organisms import build, card

    torch.set_num_threads(
        1
    )  # the number of threads changes low bits, and a recipe must give the same bits
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name)

        def show(done: int, total: int, loss: float) -> None:
            bar.update(
                task, completed=done, total=total, description=f"{name}  loss {loss:.3f} nats"
            )
            if not console.is_terminal and done % 200 == 0:
                say(f"{name}: {done}/{total} steps, loss {loss:.3f} nats per token")

        folder = build(name, show, out)
    say(f"Written: {folder}")
    if out is not None:
        same = (
            json.loads((folder / "card.json").read_text())["weights_sha256"]
            == card(name)["weights_sha256"]
        )
        say(
            f"The shipped weights are "
            f"{'the same' if same else 'different: another kind of processor or version of torch'}"
        )
