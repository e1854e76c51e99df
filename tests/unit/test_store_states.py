"""The run directory beside a small model of it: whatever is written, killed, damaged, set aside and
brought back, the rows that are given are those that were written, and every damage is named.
"""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rewardscope.store import (
    PARTIAL,
    CellDirectory,
    RunDirectory,
    cell_faults,
    find_faults,
    measuring_signature,
    remove_leftovers,
    write_measurements,
)
from rewardscope.types import Measurement

NAMES = ("a--s0--1", "a--s1--2", "base-x--3")
RECORD = {
    "name": "states",
    "seeds": [0, 1],
    "claims": [],
    "arms": [{"name": "a", "cells": {"0": NAMES[0], "1": NAMES[1]}, "base_cell": NAMES[2]}],
}
TABLES = ("measurements.parquet", "gaps.json", "steps.parquet")


def row(value: float) -> Measurement:
    return Measurement(
        study="states",
        arm="a",
        seed=0,
        step=1,
        probe="Boundary",
        metric="boundary/pass_at_k",
        unit="share",
        value=value,
        lower=None,
        upper=None,
        interval="",
        n=1,
        over="problems",
        labels={},
        sources=(),
    )


class Store(RuleBasedStateMachine):
    """What is known of each cell: its value once it is done, and which of its files are damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.run = RunDirectory(self.root)
        self.run.write_record(RECORD)
        self.measuring = measuring_signature(self.run.record())
        self.values: dict[str, float] = {}
        self.damaged: dict[str, set[str]] = {}
        self.aside: dict[str, float] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def cell(self, name: str) -> CellDirectory:
        return self.run.cell(name)

    def measure(self, name: str, value: float) -> None:
        cell = self.cell(name)
        cell.write_status("running", 1)
        write_measurements(cell.measurements, [row(value)])
        cell.write_gaps([])
        cell.finish(1, self.measuring)

    @rule(name=st.sampled_from(NAMES), value=st.floats(0, 1))
    def run_cell(self, name: str, value: float) -> None:
        """From nothing to done; a done cell is left alone, a damaged one is made again."""
        hurt = self.damaged.pop(name, set())
        if name in self.values and not hurt:
            return
        if "steps.parquet" in hurt:  # what the advice says
            shutil.rmtree(self.cell(name).path)
        if not self.cell(name).step_table.finished.is_file():
            self.cell(name).write_steps([{"step": 0, "loss": value}])
        self.values.setdefault(name, value)
        self.measure(name, self.values[name])

    @precondition(lambda self: set(NAMES) - set(self.values))
    @rule(data=st.data(), step=st.integers(0, 3))
    def kill_while_running(self, data: st.DataObject, step: int) -> None:
        """Some files are there, one is half written."""
        name = data.draw(st.sampled_from(sorted(set(NAMES) - set(self.values))))
        cell = self.cell(name)
        cell.write_status("running", 1)
        if step > 0:
            cell.write_steps([{"step": 0, "loss": 0.0}])
        if step > 1:
            write_measurements(cell.measurements, [row(0.5)])
        (cell.path / f".gaps.json.x{PARTIAL}").write_text("[")

    @precondition(lambda self: self.values)
    @rule(data=st.data(), table=st.sampled_from(TABLES))
    def damage(self, data: st.DataObject, table: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.values)))
        path = self.cell(name).path / table
        if table in self.damaged.get(name, ()):
            return
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        self.damaged.setdefault(name, set()).add(table)

    @precondition(lambda self: len(self.values) > 1)
    @rule()
    def swap(self) -> None:
        """Two cells' rows, each whole, in each other's place."""
        first, second = sorted(self.values)[:2]
        if self.values[first] == self.values[second] or {first, second} & set(self.damaged):
            return
        paths = [self.cell(name).measurements for name in (first, second)]
        contents = [path.read_bytes() for path in paths]
        for path, content in zip(paths, reversed(contents), strict=True):
            path.write_bytes(content)
        for name in (first, second):
            self.damaged.setdefault(name, set()).add("measurements.parquet")

    @precondition(lambda self: self.values)
    @rule(data=st.data())
    def set_aside(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.values))))
        if name not in self.damaged:
            self.run.set_aside(name)
            self.aside[name] = self.values.pop(name)

    @rule(name=st.sampled_from(NAMES))
    def bring_back(self, name: str) -> None:
        if name in self.aside and not self.cell(name).path.exists():
            self.run.bring_back(name)
            self.values[name] = self.aside.pop(name)

    @rule()
    def open_again(self) -> None:
        remove_leftovers(self.root)
        assert not list(self.root.rglob(f"*{PARTIAL}"))

    @invariant()
    def the_rows_are_those_of_whole_cells(self) -> None:
        faults = cell_faults(self.run, trained=False)
        assert set(faults) == set(self.damaged)
        given = [row.value for row in self.run.measurements(list(faults))]
        assert given == [self.values[n] for n in sorted(self.values) if n not in self.damaged]

    @invariant()
    def check_names_what_is_damaged_and_nothing_else(self) -> None:
        self.run.write_verdicts([])
        hurt = {
            (fault.path.parent.name, fault.path.name)
            for fault in find_faults(self.run)
            if fault.path.parent.parent == self.root / "cells"
        }
        assert hurt == {(name, table) for name, hurt in self.damaged.items() for table in hurt}


TestStore = Store.TestCase
TestStore.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
