"""The page while a run goes on."""

import contextlib
import time
from datetime import datetime
from pathlib import Path

from rewardscope.errors import RewardscopeError
from rewardscope.report.page import Standing, write_page
from rewardscope.study.progress import StudyProgress

EVERY_SECONDS = 60.0


class LivePage:
    """Writes the page anew while cells run, at most once a minute and only if something was done
    since.
    """

    def __init__(self, progress: StudyProgress, root: Path) -> None:
        self.progress, self.root = progress, root
        self.written, self.units = time.monotonic(), progress.units

    def poll(self) -> None:
        """Shows how far the run is, and writes the page when it is due."""
        self.progress.poll()
        now = time.monotonic()
        if now - self.written < EVERY_SECONDS or self.progress.units == self.units:
            return
        self.units = self.progress.units
        states = self.progress.states
        standing = Standing(
            written=f"{datetime.now().astimezone():%H:%M:%S}",
            done=states["done"],
            cells=len(self.progress.cells),
            failed=states["failed"],
            seconds_left=self.progress.seconds_left(),
        )
        # a page is no reason to lose a run: what is wrong comes up when the run concludes
        with contextlib.suppress(RewardscopeError, OSError):
            write_page(self.root, standing)
        self.written = time.monotonic()
