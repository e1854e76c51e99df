"""The run directory, written so that a kill at any instant leaves nothing half-done."""

from rewardscope.store.check import PAGE, Fault, cell_faults, find_faults, page_seal
from rewardscope.store.directory import ASIDE, CellDirectory, RunDirectory, measuring_signature
from rewardscope.store.files import (
    PARTIAL,
    read_json,
    remove_leftovers,
    write_bytes,
    write_json,
)
from rewardscope.store.locks import LOCK
from rewardscope.store.seals import (
    COMPLETE,
    SEAL,
    check_directory,
    check_own,
    check_sealed,
    seal_directory,
)
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
    "ASIDE",
    "COMPLETE",
    "LOCK",
    "PAGE",
    "PARTIAL",
    "ROLLOUT_SCHEMA",
    "SEAL",
    "CellDirectory",
    "Fault",
    "RunDirectory",
    "StoredRun",
    "cell_faults",
    "check_directory",
    "check_own",
    "check_sealed",
    "find_faults",
    "measuring_signature",
    "page_seal",
    "read_gaps",
    "read_json",
    "read_measurements",
    "read_outcomes",
    "read_rollouts",
    "read_table",
    "read_verdicts",
    "remove_leftovers",
    "seal_directory",
    "write_bytes",
    "write_gaps",
    "write_json",
    "write_measurements",
    "write_rollouts",
    "write_table",
]
