"""Captions: templates whose numbers come from the run."""

import re
from typing import Any

import jinja2


def fill(template: str, numbers: dict[str, Any]) -> str:
    """`template` (reStructuredText with Jinja expressions) with the numbers filled in.

    The filter `quoted` is for text of the run, such as tokens: whatever it holds is shown and is no markup.

    Raises:
        jinja2.UndefinedError: the template names a number that the figure does not give.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["quoted"] = quoted
    return environment.from_string(template).render(numbers)


def quoted(text: str) -> str:
    """`text` in quotation marks, with everything escaped that reStructuredText could take for markup."""
    return "\u201c" + re.sub(r"([^\s0-9A-Za-z])", r"\\\1", text) + "\u201d"
