"""What a user is told when something is wrong: what it was, the value, what is allowed, what to
do.
"""


class RewardscopeError(ValueError):
    """A user's mistake: the command line prints it as one paragraph and exits with 2."""

    def __init__(
        self,
        what: str,
        *,
        value: object = None,
        allowed: str = "",
        do: str = "",
        where: str = "",
    ) -> None:
        self.what, self.value, self.allowed, self.do = what, value, allowed, do
        self.where = where
        """File and line of the user's that it is about; empty = not known, or nobody's."""
        super().__init__(what, value, allowed, do, where)

    def __str__(self) -> str:
        parts = [self.what.rstrip(".") + "."]
        if self.value is not None:
            parts.append(
                f"Got: {str(self.value).removesuffix('.')}."
            )  # the value may be a sentence
        if self.allowed:
            parts.append(f"Allowed: {self.allowed.rstrip('.')}.")
        if self.do:
            parts.append(f"{self.do.rstrip('.')}.")
        if self.where:
            parts.append(f"At: {self.where}.")
        return " ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        """Keeps every part when the error crosses from a worker process."""
        return (
            _rebuild,
            (
                type(self),
                self.what,
                str(self.value) if self.value is not None else None,
                self.allowed,
                self.do,
                self.where,
            ),
        )


def _rebuild(
    kind: type[RewardscopeError], what: str, value: str | None, allowed: str, do: str, where: str
) -> RewardscopeError:
    return kind(what, value=value, allowed=allowed, do=do, where=where)


class ComponentError(RewardscopeError):
    """A component was built with a field or a value it cannot have, or its name is not known."""


class StudyError(RewardscopeError):
    """A study file or its arms do not make sense."""


class TruthSealed(RewardscopeError):
    """A component that declares ``uses_truth = False`` reached for the answer key."""


class EnvironmentFault(RewardscopeError):
    """An environment cannot make or grade its own problems."""


class ModelError(RewardscopeError):
    """A model cannot be found, read, or used as asked."""


class CheckpointError(RewardscopeError):
    """A checkpoint is missing, cut short, or not what its record says."""


class RunDirectoryError(RewardscopeError):
    """A run directory belongs to another study, is in use, or cannot be read or written."""


class InUse(RunDirectoryError):
    """Another process holds the run or the cell; whoever is told leaves it as it is."""
