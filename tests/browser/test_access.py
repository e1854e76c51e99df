"""The page for everybody: axe-core, the keyboard, paper and the phone."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
AXE_RUNS = """
addEventListener("load", () => setTimeout(async () => {
  const { violations, passes } = await axe.run(document, { resultTypes: ["violations"] });
  const short = violations.map((v) => [v.id, v.impact, v.nodes.map((n) => n.html.slice(0, 160))]);
  document.title = JSON.stringify({ passes: passes.length, violations: short });
}, 1500));
"""
KEYS = """
addEventListener("load", () => setTimeout(() => {
  const press = (at, key) => at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const part = (name) => document.querySelector(`[data-part="${name}"]`);
  const chart = document.querySelector("[data-chart] svg"), said = {};
  chart.focus();
  press(chart, "ArrowRight");
  press(chart, "ArrowRight");
  said.chart = document.querySelector(".crosshair").textContent;
  press(chart, "Escape");
  said.hidden = document.querySelector(".crosshair").hidden;
  const before = part("problem").value;
  press(part("next") ?? part("prompt"), "n");
  said.moved = [before, part("problem").value];
  const tokens = document.querySelector(".tokens");
  press(tokens, "ArrowRight");
  said.token = part("readout").textContent;
  said.address = location.hash;
  part("search").value = "no text has this";
  part("search").dispatchEvent(new Event("input"));
  said.none = part("count").textContent;
  document.title = JSON.stringify(said);
}, 1500));
"""


def told(page: Path, script: str, tmp_path: Path, width: int = 1440) -> dict[str, object]:
    """What a script that is added to the page writes into its title; the page's own policy, which
    would refuse it, is taken out.
    """
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    probe = tmp_path / "probe.html"
    probe.write_text(text + "<script>" + script.replace("</script", "<\\/script") + "</script>")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", f"--window-size={width},900"]
    done = subprocess.run(
        [*command, "--dump-dom", probe.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None
    found: dict[str, object] = json.loads(html.unescape(title[1]))
    return found


@pytest.mark.parametrize("width", [500, 1440])
def test_axe_finds_nothing(finished_run: Path, tmp_path: Path, width: int) -> None:
    axe = pytest.importorskip("axe_core_python", reason="axe-core is not installed")
    code = (Path(axe.__file__).parent / "axe.min.js").read_text()
    found = told(finished_run / "report.html", code + ";" + AXE_RUNS, tmp_path, width)
    assert found["violations"] == []
    assert int(str(found["passes"])) > 20


def test_charts_problems_and_tokens_are_reached_by_keyboard(
    finished_run: Path, tmp_path: Path
) -> None:
    said = told(finished_run / "report.html", KEYS, tmp_path)
    assert "step 2" in str(said["chart"]) and said["hidden"] is True
    assert said["moved"] == ["0", "1"]
    assert "nats" in str(said["token"])
    assert str(said["address"]).endswith("/2")
    assert str(said["none"]).startswith("0 of ")


def test_paper_begins_with_the_answer_and_leaves_controls_out(
    finished_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "page.pdf"
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", f"--print-to-pdf={file}"]
    page = (finished_run / "report.html").as_uri()
    subprocess.run([*command, page], capture_output=True, check=True, timeout=180)
    pages = len(re.findall(rb"/Type\s*/Page\b", file.read_bytes()))
    assert 2 <= pages <= 30


def test_a_phone_shows_placebo_beside_treatment(finished_run: Path, tmp_path: Path) -> None:
    script = """
addEventListener("load", () => setTimeout(() => {
  const row = document.querySelector(".held-out tbody tr");
  const width = document.documentElement.clientWidth;
  const cells = [...row.querySelectorAll("td.num")].map((cell) => cell.getBoundingClientRect());
  const inside = cells.every((box) => box.right <= width + 1 && box.width > 0);
  const answer = document.querySelector(".headline").getBoundingClientRect().top;
  document.title = JSON.stringify({ inside, cells: cells.length, answer });
}, 500));"""
    found = told(finished_run / "report.html", script, tmp_path, 500)
    assert found["inside"] is True and int(str(found["cells"])) >= 3
    assert float(str(found["answer"])) < 700
