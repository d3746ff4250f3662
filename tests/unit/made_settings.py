"""Sections of settings as figures and claims get them, made from a few keys."""

from memloc.settings.base import Section
from memloc.settings.sections import sections


def changed(settings: Section, **other) -> Section:
    """The same sections, with other ones in place of some."""
    return sections(settings.model_dump() | other)
