"""What determines a result beyond its settings: the code and the data behind a component."""

from rewardscope.identity.components import Part, changes, guests_of, parts_of
from rewardscope.identity.files import cache_folder, file_digest
from rewardscope.identity.opened import watching
from rewardscope.identity.sources import loaded_again, source_file

__all__ = [
    "Part",
    "cache_folder",
    "changes",
    "file_digest",
    "guests_of",
    "loaded_again",
    "parts_of",
    "source_file",
    "watching",
]
