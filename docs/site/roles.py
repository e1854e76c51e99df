"""Sphinx roles in docstrings, such as those of functions, shown as code."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):`~?([^`]+)`")


class Roles(griffe.Extension):
    """Rewrites the docstrings of what is loaded."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Replaces each role of one docstring by the name in code quotes."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(r"`\1`", obj.docstring.value)
