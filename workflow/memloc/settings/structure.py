"""The tree of settings: sections below a section, and their keys."""

from functools import cache
from typing import Any, get_args, get_origin

from memloc.settings.base import Section


def source_of(section: type[Section]) -> str | None:
    """The `source` that chooses this form of a section, if it has forms."""
    source = section.model_fields.get("source")
    return source.annotation.__args__[0] if source else None


@cache
def own_keys(section: type[Section]) -> tuple[str, ...]:
    """Keys that a config file may give to a section; the study fills in the others."""
    return tuple(section.model_json_schema().get("properties", {}))


def filled_keys(study: type[Section]) -> dict[str, set[str]]:
    """Keys that a study fills in, by the section that holds them."""
    below = {name: kinds[0] for name, kinds in sections_below(study).items()}
    filled = {name: set(kind.model_fields) - set(own_keys(kind)) for name, kind in below.items()}
    return {name: keys for name, keys in filled.items() if keys}


def sections_below(section: type[Section]) -> dict[str, list[type[Section]]]:
    """Sections below each key of a section; several where a `source` decides."""
    found = {key: _section_types(field.annotation) for key, field in section.model_fields.items()}
    return {key: below for key, below in found.items() if below}


def _section_types(annotation: Any) -> list[type[Section]]:
    """Sections among the alternatives of a type; none for `models`, whose sections are those of `model`."""
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, Section) else []
    if get_origin(annotation) is dict:
        return []
    return [section for part in get_args(annotation) for section in _section_types(part)]
