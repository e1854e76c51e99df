"""Listings of the documents, by the names in front of them: ``<!-- listing NAME -->``."""

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def listings(document: str) -> dict[str, str]:
    """Name -> Python text."""
    text = (DOCS / document).read_text()
    return dict(re.findall(r"<!-- listing ([\w-]+) -->\n```python\n(.*?)```", text, re.DOTALL))
