"""The sections of settings that a rule tracks, as scripts use them."""

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import create_model

from memloc.settings.base import Section


def sections(tracked: Mapping[str, Any]) -> Any:
    """The sections that a rule's parameter `settings` holds as plain data, each as its frozen object.

    Raises (as soon as it is used wrongly):
        AttributeError: a section that the rule does not track, or a key that a section does not have.
    """
    # Not imported by name: then each script would depend on the code of all sections. Values are parameters.
    fields = importlib.import_module("memloc.settings.study").Settings.model_fields
    kinds: dict[str, Any] = {name: (fields[name].annotation, fields[name]) for name in tracked}
    return create_model("Sections", __base__=Section, **kinds).model_validate(tracked)
