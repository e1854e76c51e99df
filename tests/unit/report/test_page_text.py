import base64
import json
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from report_run import HOSTILE, KS, NUM_PROBLEMS, NUM_STEPS, STARTS, claims, verdicts
from rewardscope.report import write_page
from rewardscope.report.loading import load_run
from rewardscope.report.marks import make_marks
from rewardscope.report.sections.boundary import pass_at_k_panels
from rewardscope.report.sections.training import training_panels

LOADING = {
    "src",
    "srcset",
    "href",
    "xlink:href",
    "data",
    "poster",
    "action",
    "formaction",
    "background",
    "cite",
    "ping",
    "manifest",
}


class Page(HTMLParser):
    """The page's elements, and the text of its script and style elements."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag in ("script", "style"):
            self._inside = {"tag": tag, **given}

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.raw.append((self._inside, data))
        else:
            self.text += data

    def json(self, identity: str) -> Any:
        text = "".join(data for given, data in self.raw if given.get("id") == identity)
        if not text.startswith(("{", "[")):
            text = zlib.decompress(base64.b64decode(text)).decode()
        return json.loads(text)


@pytest.fixture(scope="module")
def source(finished_run: Path) -> str:
    return (finished_run / "report.html").read_text()


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_every_link_resolves_to_an_id_and_ids_are_unique(page: Page) -> None:
    links = [str(given["href"]) for tag, given in page.elements if tag == "a"]
    assert {f"#verdict-{place + 1}" for place in range(len(verdicts()))} <= set(links)
    assert all(link[0] == "#" and link[1:].split("/")[0] in page.ids for link in links)
    assert len(page.ids) == len(set(page.ids))


def test_every_label_points_at_an_id(page: Page) -> None:
    labels = [given["aria-labelledby"] for _, given in page.elements if "aria-labelledby" in given]
    assert labels
    assert set(labels) <= set(page.ids)


def test_nothing_is_loaded_from_outside(page: Page) -> None:
    for tag, given in page.elements:
        for name, value in given.items():
            assert name not in LOADING or str(value).startswith("#"), (tag, name, value)
            assert not name.startswith("on"), (tag, name, value)
            assert "url(" not in str(value) or "url(#" in str(value), (tag, name, value)
        assert tag not in ("link", "iframe", "object", "embed", "img", "base")
    styles = "".join(data for given, data in page.raw if given["tag"] == "style")
    assert "@import" not in styles and "url(" not in styles


def test_the_policy_fetches_nothing_and_names_the_script(page: Page) -> None:
    policy = next(
        str(given["content"])
        for tag, given in page.elements
        if tag == "meta" and "http-equiv" in given
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("'sha256-") == 1
    assert "unsafe-eval" not in policy and "script-src 'unsafe-inline'" not in policy


def test_only_our_elements_are_there(page: Page) -> None:
    scripts = [given for tag, given in page.elements if tag == "script"]
    assert [given.get("id") for given in scripts] == ["chart-data", "completion-data", None]
    assert not [tag for tag, given in page.elements if tag == "b" and "onclick" in given]


def test_hostile_completions_are_in_the_page_but_only_escaped(source: str, page: Page) -> None:
    assert "<script>document" not in source
    assert "<img src=x" not in source
    assert "\u202e" not in source and "\x1b" not in source and "\u200b" not in source
    cells = page.json("completion-data")
    tokens = {
        token[0]
        for cell in cells
        for problem in cell["problems"]
        for c in problem["base"] + problem["trained"]
        for token in c["tokens"]
    }
    assert {HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[4]} <= tokens
    assert "⟨U+202E⟩gnp.exe⟨U+202C⟩ ⟨U+0000⟩⟨U+001B⟩[31m ⟨U+200B⟩" in tokens
    assert "49" not in tokens


def test_a_long_completion_is_cut_and_the_page_says_by_how_much(page: Page) -> None:
    cells = page.json("completion-data")
    tokens = [
        token[0]
        for cell in cells
        for problem in cell["problems"]
        for c in problem["base"]
        for token in c["tokens"]
    ]
    assert max(map(len, tokens)) < 2_100
    assert any(token.endswith("… (9000 more characters)") for token in tokens)


def test_verdicts_have_their_rows_in_the_order_of_the_claims(page: Page) -> None:
    places = [
        page.text.index(claim.sentence, page.text.index("Claims are in the order"))
        for claim in claims()
    ]
    assert places == sorted(places)
    for word in ("supported", "refuted", "undecided", "not run"):
        assert word in page.text


def test_the_page_is_small_and_holds_no_charting_code(source: str) -> None:
    assert len(source.encode()) < 600_000
    assert "vega" not in source.lower()


def test_charts_are_drawn_without_scripts(source: str, page: Page) -> None:
    drawn = [given for tag, given in page.elements if tag == "svg" and given.get("role") == "img"]
    charts = page.json("chart-data")
    named = [given for given in drawn if given.get("tabindex") == "0"]
    assert [given["aria-label"] for given in named] == [c["text"] for c in charts.values()]
    assert source.count('stroke="var(--line)"') > 100
    rows = re.findall(r'data-chart="training-1">.*?</svg>', source, re.DOTALL)[0]
    marked = {int(row) for row in re.findall(r'data-row="(\d+)"', rows)}
    assert marked == set(range(len(charts["training-1"]["columns"]["step"])))


def test_charts_hold_aggregated_rows_only(page: Page) -> None:
    charts = page.json("chart-data")
    assert len(charts) == 4 + 4 + 2 + 6 + 4
    for chart in charts.values():
        assert chart["text"]
        lengths = {len(column) for column in chart["columns"].values()}
        assert len(lengths) == 1 and 0 < lengths.pop() <= 2 * NUM_STEPS + 3 * len(KS)
        assert {name for name, _ in chart["says"]} <= set(chart["columns"])


def test_placebos_are_marked_and_colours_are_the_treatments(finished_run: Path) -> None:
    marks = make_marks(load_run(finished_run).arms)
    assert (
        marks["planted-truth"].colour
        == marks["barren-truth"].colour
        != marks["planted-coin"].colour
        == marks["barren-coin"].colour
    )
    for name, mark in marks.items():
        assert mark.placebo == name.endswith("coin")
        assert (
            (mark.shape == "square")
            == mark.placebo
            == ("(placebo)" in mark.label)
            == (mark.dash != (1, 0))
        )


def test_pass_at_k_has_an_interval_over_seeds_and_problems(finished_run: Path) -> None:
    run = load_run(finished_run)
    panels = pass_at_k_panels(run, make_marks(run.arms))
    assert [panel.start for panel in panels] == [STARTS[0], STARTS[0], STARTS[1], STARTS[1]]
    spec = panels[0].spec
    assert spec is not None
    rows = spec["data"]["values"]
    by_arm = {row["arm"]: row for row in rows if row["k"] == 1}
    assert set(by_arm) == {"untrained", "planted-truth", "planted-coin (placebo)"}
    assert by_arm["planted-truth"]["interval"] == "95% over seeds and problems"
    assert by_arm["untrained"]["interval"] == "95% over problems"
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_bands_are_the_lowest_and_the_highest_seed(finished_run: Path) -> None:
    run = load_run(finished_run)
    spec = training_panels(run, make_marks(run.arms))[1].spec
    assert spec is not None
    row = next(r for r in spec["data"]["values"] if r["arm"] == "planted-truth" and r["step"] == 7)
    here = run.steps.filter(arm="planted-truth", step=7)["correct_share"]
    assert (row["low"], row["high"], row["seeds"]) == pytest.approx(
        (here.min(), here.max(), 3), abs=1e-5
    )
    assert row["value"] == pytest.approx(here.mean(), abs=1e-5)


def test_where_a_teacher_taught_its_evidence_has_a_panel(finished_run: Path) -> None:
    run = load_run(finished_run)
    plain = training_panels(run, make_marks(run.arms))
    taught = replace(run, steps=run.steps.with_columns(pl.lit(0.25).alias("credit/taught_share")))
    panels = training_panels(taught, make_marks(run.arms))
    assert len(panels) == len(plain) + len(STARTS)
    spec = panels[2].spec
    assert panels[2].heading == "Evidence for the teacher" and spec is not None
    assert {row["value"] for row in spec["data"]["values"]} == {0.25}


def test_measurements_of_single_problems_stay_out_of_the_figures(finished_run: Path) -> None:
    run = load_run(finished_run)
    assert run.measurements["problem"].null_count() == run.measurements.height
    assert run.problem_pass.height == 2 * 14 * len(KS) * NUM_PROBLEMS


def test_the_page_needs_no_torch(finished_run: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rewardscope.report import verdict_table, "
        "write_page; "
        f"write_page(Path({str(finished_run)!r})); verdict_table([]); "
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'transformers')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_is_the_same_when_written_again(finished_run: Path, source: str) -> None:
    from rewardscope.report import write_page

    assert write_page(finished_run).read_text() == source
    assert not re.search(r"\{\{|\{%", Page(source).text)


def test_a_part_of_the_learner_that_an_arm_has_not_is_none_and_not_sealed(
    finished_run: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(finished_run, tmp_path / "run"))
    study = json.loads((root / "study.json").read_text())
    for arm, mask in zip(study["arms"], [None, {"is": "Subnetwork", "folder": "f"}], strict=False):
        arm["uses_truth"] = {"mask": False}
        arm["config"]["learner"] = {"is": "Learner", "mask": mask}
    (root / "study.json").write_text(json.dumps(study))
    write_page(root)
    shown = re.search(
        r'<table class="key">.*?</table>', (root / "report.html").read_text(), re.DOTALL
    )
    first, second = re.findall(
        r"<tr><th scope=\"row\">.*?</tr>", shown[0] if shown else "", re.DOTALL
    )[:2]
    assert "none" in first and "sealed</span>" not in first
    assert "○ sealed" in second and "Subnetwork(" in second
