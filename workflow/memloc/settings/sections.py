"""The sections of settings that a rule tracks, as objects for scripts."""

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import create_model

from memloc.settings.base import Section


def sections(tracked: Mapping[str, Any]) -> Any:
    """Frozen objects of the sections that a rule's parameter `settings` holds as plain data.

    Raises (on access):
        AttributeError: the rule does not track a section, or a section does not have a key.
    """
    # No import statement: with one, the code of every script would depend on all sections of the settings.
    fields = importlib.import_module("memloc.settings.study").Settings.model_fields
    kinds: dict[str, Any] = {name: (fields[name].annotation, fields[name]) for name in tracked}
    return create_model("Sections", __base__=Section, **kinds).model_validate(tracked)
