"""What determines a result beyond its settings: the code and the data behind a component."""

from rewardscope.identity.components import Part, changes, guests_of, parts_of
from rewardscope.identity.files import cache_folder, file_digest
from rewardscope.identity.opened import Opened, forget_opened, note_opened, opened_files, watching
from rewardscope.identity.places import is_project_file
from rewardscope.identity.sources import loaded_again, source_file

__all__ = [
    "Opened",
    "Part",
    "cache_folder",
    "changes",
    "file_digest",
    "forget_opened",
    "guests_of",
    "is_project_file",
    "loaded_again",
    "note_opened",
    "opened_files",
    "parts_of",
    "source_file",
    "watching",
]
