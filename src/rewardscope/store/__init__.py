"""The run directory, written so that a kill at any instant leaves nothing half-done."""

from rewardscope.store.directory import CellDirectory, RunDirectory, measuring_signature
from rewardscope.store.files import (
    COMPLETE,
    check_directory,
    read_json,
    seal_directory,
    write_bytes,
    write_json,
)
from rewardscope.store.locks import LOCK
from rewardscope.store.source import StoredRun
from rewardscope.store.tables import (
    ROLLOUT_SCHEMA,
    read_gaps,
    read_measurements,
    read_outcomes,
    read_rollouts,
    read_table,
    read_verdicts,
    write_gaps,
    write_measurements,
    write_rollouts,
    write_table,
)

__all__ = [
    "COMPLETE",
    "LOCK",
    "ROLLOUT_SCHEMA",
    "CellDirectory",
    "RunDirectory",
    "StoredRun",
    "check_directory",
    "measuring_signature",
    "read_gaps",
    "read_json",
    "read_measurements",
    "read_outcomes",
    "read_rollouts",
    "read_table",
    "read_verdicts",
    "seal_directory",
    "write_bytes",
    "write_gaps",
    "write_json",
    "write_measurements",
    "write_rollouts",
    "write_table",
]
