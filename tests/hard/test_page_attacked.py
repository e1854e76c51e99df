"""Texts that somebody wrote to run in the page, in every field that shows text, in Chromium."""

import random
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from report_run import write_run
from rewardscope.report import write_page
from rewardscope.store import RunDirectory, read_json, write_json, write_table

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PLANT = "document.documentElement.dataset.planted='ran'"
FORMS = (
    "<script>{0}</script>",
    "</script><script>{0}</script>",
    '<img src=x onerror="{0}">',
    '<svg onload="{0}">',
    '<svg><animate onbegin="{0}" attributeName=x dur=1s>',
    '<iframe srcdoc="<script>parent.{0}</script>"></iframe>',
    '<body onload="{0}">',
    '<details open ontoggle="{0}">',
    "<style>@import 'javascript:{0}'</style>",
    '<a href="javascript:{0}" autofocus onfocus="{0}">x</a>',
    '<base href="https://example.org/">',
    '<meta http-equiv=refresh content="0;url=javascript:{0}">',
    "<!--<script>{0}",
    "-->",
    "]]>",
    "<![CDATA[{0}]]>",
    "</style><script>{0}</script>",
    "</textarea></title><script>{0}</script>",
    "{{{{ {0} }}}}",
    "{{% raw %}}{0}",
    "${{{0}}}",
    "`;{0};`",
    "\\u003cscript>{0}</script>",
    "&lt;script&gt;{0}&lt;/script&gt;",
    "'\"><script>{0}</script>",
    "\u2028{0}\u2029",
    "__proto__",
    "constructor",
    "null",
    "undefined",
    "NaN",
    "-0",
    "1e999",
)
PAGES, TEXTS = 4, 150


def texts(seed: int) -> list[str]:
    """Markup that would run, cut and joined; any code point; one line of 20,000 characters."""
    chance = random.Random(seed)
    made = [form.format(PLANT) for form in FORMS]
    while len(made) < TEXTS - 1:
        if chance.random() < 0.5:
            one, other = chance.choice(FORMS).format(PLANT), chance.choice(FORMS).format(PLANT)
            made.append(one[: chance.randrange(len(one) + 1)] + other)
        else:
            points = (chance.randrange(0x110000) for _ in range(chance.randrange(1, 60)))
            made.append("".join(chr(p) for p in points if not 0xD800 <= p < 0xE000))
    return [*made, "9<b>" * 5_000]


def plant(root: Path, planted: list[str]) -> None:
    """Puts the texts into completions, prompts, keys, the question, packages and verdicts."""
    record = read_json(root / "study.json")
    record["question"], record["about"] = planted[0], planted[1]
    record["packages"] = {planted[2]: planted[3]}
    record["hardware"] = {"cpu": planted[4]}
    write_json(root / "study.json", record)
    run = RunDirectory(root)
    verdicts = [
        replace(verdict, reason=text, interval=text)
        for verdict, text in zip(run.verdicts(), planted[5:], strict=False)
    ]
    run.write_verdicts(verdicts)
    for number, file in enumerate(sorted(root.glob("cells/*/readings/*.parquet"))):
        rows = pl.read_parquet(file, glob=False)
        mine = planted[number % 4 :: 4] * (len(rows) // max(1, len(planted[number % 4 :: 4])) + 1)
        column = pl.Series(mine[: len(rows)])
        write_table(
            file, rows.with_columns(token=column, prompt=pl.lit(mine[0]), key=pl.lit(mine[1]))
        )


def planted_elements(document: str) -> list[str]:
    """Elements and attributes that the page itself never has."""
    found = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            loads = tag in ("img", "iframe", "base", "object", "embed", "animate")
            runs = [
                name
                for name, value in attrs
                if name.startswith("on") or (value or "").startswith("javascript:")
            ]
            if loads or runs:
                found.append(f"{tag} {' '.join(runs)}")

    Elements().feed(document)
    return found


@pytest.mark.hard
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("seed", range(PAGES))
def test_no_text_runs_in_the_page(seed: int, tmp_path: Path, counted: Callable[..., None]) -> None:
    planted = texts(seed)
    root = write_run(tmp_path / "run", hostile=False)
    plant(root, planted)
    page = write_page(root)
    command = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--virtual-time-budget=20000"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()),
    ]
    document = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=180
    ).stdout
    root_tag = re.search(r"<html[^>]*>", document)
    assert root_tag is not None
    ran = "data-planted" in root_tag[0]
    grown = planted_elements(document)
    counted(tried=len(planted), refused=0 if ran or grown else len(planted), silent=int(ran))
    assert not ran and not grown, grown
    assert "data-errors" not in root_tag[0], root_tag[0]
