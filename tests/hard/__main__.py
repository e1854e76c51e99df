"""Runs the hard tests and writes what they counted into docs/reliability.md.

make hard                                            (at most 20 minutes on 2 cores)
.venv/bin/python tests/hard tests/hard/test_page_attacked.py  (these files alone)
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCUMENT = ROOT / "docs" / "reliability.md"
COUNTS = HERE / "counts.json"
COLUMNS = ("tried", "survived", "healed", "refused", "silent")
WORKERS = ("-n", str(os.cpu_count()), "--dist", "worksteal", "--durations", "12")
BLOCK = re.compile(r"(<!-- counts -->\n).*?(<!-- end -->)", re.DOTALL)


def main(files: list[str]) -> int:
    """Pytest's exit status; the table is written also where a test failed."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "counts.jsonl")
        status = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "hard", *WORKERS, *(files or [str(HERE)])],
            cwd=ROOT,
            env={**os.environ, "REWARDSCOPE_HARD_COUNTS": str(lines)},
            check=False,
        ).returncode
        text = lines.read_text() if lines.is_file() else ""
    known = json.loads(COUNTS.read_text()) if files and COUNTS.is_file() else {}
    counts = known | summed(text)
    COUNTS.write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n")
    DOCUMENT.write_text(
        BLOCK.sub(lambda found: found[1] + table(counts) + found[2], DOCUMENT.read_text())
    )
    return status


def summed(text: str) -> dict[str, dict[str, int]]:
    """The counts of every test, over its parameters.

    >>> summed('{"test": "test_a[x]", "tried": 2}\\n{"test": "test_a[y]", "tried": 3}')
    {'test_a': {'tried': 5}}
    """
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in text.splitlines():
        record = json.loads(line)
        found[record.pop("test").partition("[")[0]].update(record)
    return {name: dict(counts) for name, counts in found.items()}


def table(counts: dict[str, dict[str, int]]) -> str:
    """A row per test; a dash where a test counts no such thing."""
    rows = [f"| test | {' | '.join(COLUMNS)} |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, found in sorted(counts.items()):
        cells = (f"{found[column]:,}" if column in found else "–" for column in COLUMNS)
        what = name.removeprefix("test_").replace("_", " ")
        rows.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
