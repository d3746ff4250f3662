"""Captions: templates whose numbers come from the run."""

from typing import Any

import jinja2


def fill(template: str, numbers: dict[str, Any]) -> str:
    """`template` (reStructuredText with Jinja expressions) with the numbers filled in.

    Raises:
        jinja2.UndefinedError: the template names a number that the figure does not give.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(template).render(numbers)
