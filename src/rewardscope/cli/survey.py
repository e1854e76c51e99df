"""Commands that list what exists: components, worlds, instruments, organisms, and this machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rewardscope.cli.front import (
    LIST,
    app,
    console,
    count_of,
    organisms_app,
    say,
    show_json,
    show_lines,
    show_long,
)
from rewardscope.errors import ComponentError
from rewardscope.hostile import visible
from rewardscope.registry import readable
from rewardscope.report.layout import folding_table

if TYPE_CHECKING:
    from rewardscope.outline import Outline

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of the list.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list.")]


@app.command(rich_help_panel=LIST)
def methods(
    name: Name = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only these: rewards, credits, probes and so on.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every environment, reward, credit method, probe and other component.

    With a NAME, everything about that one.
    """
    from rewardscope.outline import outline, outlines
    from rewardscope.registry import BUILT_IN

    if kind is not None and kind not in BUILT_IN:
        raise ComponentError(
            "There is no such kind",
            value=repr(kind),
            allowed=", ".join(BUILT_IN),
            do="Name one of these",
        )
    kinds = BUILT_IN if kind is None else {kind: BUILT_IN[kind]}
    if as_json:
        from rewardscope.catalogue import as_records

        show_json(
            [r for r in as_records() if r["kind"] in kinds and (name is None or r["name"] == name)]
        )
    elif name is not None:
        show_long(_whole(outline(name, kinds)))
    else:
        blocks: dict[str, list[tuple[str, str]]] = {}
        for one in outlines(kinds):
            text = f"placebo: {one.summary}" if one.placebo else one.summary
            blocks.setdefault(one.kind, []).append((one.name, text))
        show_lines(blocks)
        _hint("methods", "Coin")


def _hint(command: str, example: str) -> None:
    if console.is_terminal:
        say(f"\nrewardscope {command} NAME says all about one, such as {example}.")


def _whole(one: "Outline") -> Text:
    """Its text and its fields."""
    text = Text(one.name, style="bold").append(f"  {one.kind}, {one.file}:{one.line}", style="dim")
    text.append("".join(f"\n\n{visible(part)}" for part in one.paragraphs) + "\n")
    if one.fields:
        text.append("\nFields\n", style="bold")
    for field in one.fields:
        given = "" if field.default is None else f" = {field.default}"
        text.append(f"  {field.name}").append(f": {field.type}{given}\n", style="dim")
        if field.about:
            text.append(f"      {visible(field.about)}\n")
    return text


@app.command(rich_help_panel=LIST)
def worlds(name: Name = None, as_json: AsJson = False) -> None:
    """List environments and organisms.

    With a NAME, an example problem of that one, its oracle's completion, and how untrained
    policies do there.
    """
    if name is None and not as_json:
        from rewardscope.outline import organism_cards, outlines
        from rewardscope.registry import BUILT_IN

        kinds = {"environments": BUILT_IN["environments"]}
        show_lines(
            {
                "environments": [(one.name, one.summary) for one in outlines(kinds)],
                "organisms": [(n, _in_short(card)) for n, card in organism_cards().items()],
            }
        )
        _hint("worlds", "Chain")
        return
    from rewardscope import catalogue

    records = catalogue.worlds(name)
    if as_json:
        show_json(records)
        return
    table = folding_table(
        "world", "a problem, and its oracle's completion", "untrained policies", show_lines=True
    )
    for record in records:
        title = f"{record['name']}\n{record['world']}" if record["world"] else record["name"]
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
        table.add_row(title, problem, Text("\n".join(untrained)))
    show_long(table)


def _in_short(card: dict[str, Any]) -> str:
    """An organism on one line: how it does untrained, and what is planted."""
    solved = [f"{world}: {m['pass_at_1']:.2f}" for world, m in card["measured"].items()]
    return f"pass@1 {', '.join(solved)}; planted {_shares(card['planted'])}"


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
def instruments(name: Name = None, as_json: AsJson = False) -> None:
    """List the instruments, those that installed packages offer too.

    With a NAME, what that one needs and the figures that proved it. An instrument with a figure
    that did not hold is marked experimental.
    """
    if name is None and not as_json:
        from rewardscope.outline import instruments as by_kind
        from rewardscope.outline import outlines, validation

        checks = validation()
        blocks: dict[str, list[tuple[str, str]]] = {}
        for one in outlines(by_kind()):
            text = f"{_proof(one.name, checks)}{one.summary}"
            blocks.setdefault(one.kind, []).append((one.name, text))
        show_lines(blocks)
        _hint("instruments", "Boundary")
        return
    from rewardscope.catalogue import instruments as all_instruments

    records = [record for record in all_instruments() if name in (None, record["name"])]
    if as_json:
        show_json(records)
        return
    if not records:
        from rewardscope.outline import instruments as by_kind
        from rewardscope.outline import outline

        outline(str(name), by_kind())
    for record in records:
        about = Text(readable(record["name"]), style="bold")
        about.append(f"  {record['package']}" if record["package"] else "", style="dim")
        about.append(f"\n\n{visible(record['what'])}\n")
        for title, of in (("needs", "needs"), ("measures more with", "uses"), ("rows", "metrics")):
            if record[of]:
                about.append(f"\n{title}: ", style="bold").append(", ".join(record[of]))
        table = folding_table("validated by", "found", "must lie in", "n")
        for check in record["checks"]:
            style = "" if check["held"] else "bold red"
            bounds = f"{check['lowest']:g} to {check['highest']:g}"
            table.add_row(
                Text(check["what"], style), f"{check['found']:.3g}", bounds, str(check["n"])
            )
        proof = _proof(record["name"], record["checks"]).removesuffix(": ")
        show_long(about, Text(f"\n{proof}") if proof else Text(), *([table] * bool(table.rows)))


def _proof(name: str, checks: Sequence[Mapping[str, Any]]) -> str:
    """A warning in front of an instrument that nothing proved, or that failed a proof."""
    held = [check["held"] for check in checks if check["instrument"] == name]
    return "" if held and all(held) else "experimental: " if held else "not validated: "


@app.command(rich_help_panel=LIST)
def doctor(
    everything: Annotated[bool, typer.Option("--all", help="Show what is well, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check this machine and that every environment accepts its own oracle.

    Says what has to be mended, or in one line that all is well.
    """
    from rewardscope.doctor import examine

    findings = examine()
    bad = [finding for finding in findings if not finding.good]
    if as_json:
        show_json([asdict(finding) for finding in findings])
    elif bad or everything:
        table = folding_table("what", "found", "")
        for finding in [*bad, *(f for f in findings if f.good)] if everything else bad:
            table.add_row(
                finding.what,
                Text(finding.found),
                "[green]ok[/green]" if finding.good else "[red]fix[/red]",
            )
        console.print(table)
    if not as_json:
        told = {finding.what: finding.found for finding in findings}
        machine = (
            f"Python {told['python']}, torch {told['torch']}; accelerator {told['accelerator']}"
        )
        count = count_of(len(findings), "check")
        say(
            f"{len(bad)} of {count} failed; the others: `rewardscope doctor --all`"
            if bad
            else f"All is well: {count} passed. {machine}; accelerator {told['accelerator']}"
        )
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@organisms_app.command("list")
def list_organisms(name: Name = None, as_json: AsJson = False) -> None:
    """List the organisms: how they do untrained, and what is planted in them.

    With a NAME, all of its worlds and strategies.
    """
    from rewardscope.outline import organism_cards

    cards = {n: card for n, card in organism_cards().items() if name in (None, n)}
    if not cards:
        raise ComponentError(
            "There is no organism of this name",
            value=repr(name),
            allowed=", ".join(organism_cards()),
            do="Check the spelling",
        )
    if as_json:
        show_json(list(cards.values()))
        return
    if name is None:
        show_lines({"organisms": [(n, _in_short(card)) for n, card in cards.items()]})
        _hint("organisms list", "formats-planted")
        return
    table = folding_table("world", "solved", "strategy shares", "strategy accuracy")
    for world, measured in cards[name]["measured"].items():
        table.add_row(
            world,
            _solved(measured),
            _shares(measured["strategy_share"]),
            _shares(measured["strategy_accuracy"]),
        )
    show_long(Text(f"{name}: planted {_shares(cards[name]['planted'])}"), table)


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
