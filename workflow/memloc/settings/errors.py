"""Validate a config, with a message for every mistake in it."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from memloc.run.errors import InputError
from memloc.settings.base import Section
from memloc.settings.structure import filled_keys, own_keys, sections_below, source_of
from memloc.settings.study import Settings

REPLACED = {
    "bench": "run make bench",
    "loading.checkpointing": "a smaller loading.micro_batch takes less memory, too",
    "planted_truth": "model.grown grows memories, and grown_truth asks methods about them",
    "model.grown.twins": "leave it out; twins are always trained",
    "data.source: embedded": '"drawn" (its name now), or "code"',
    "model.source: planted": '"fine_tuned" (its name now)',
}
"""What is said of a key that is gone, and what is allowed in place of a `source` that is."""


def validate(config: dict[str, Any], file: str) -> Settings:
    """Settings from a config; `file` is named in errors.

    Raises:
        InputError: one message with a line per wrong key: its path, what was given, what is allowed.
    """
    lines = list(_given_to_one_section(config)) if isinstance(config, dict) else []
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        lines += map(_explain, error.errors())
    if lines:
        raise InputError("\n".join(f"{file}: {line}" for line in lines))
    return settings


def _given_to_one_section(config: dict[str, Any]) -> Iterator[str]:
    for name, keys in filled_keys(Settings).items():
        given = config.get(name)
        for key in sorted(keys & given.keys()) if isinstance(given, dict) else ():
            yield f"{name}.{key}: {key} is one key of the study, for all sections: set it at the top level"


def _explain(problem: dict[str, Any]) -> str:
    kind, location, given = problem["type"], problem["loc"], problem["input"]
    # Entries of `models` have the keys of `model`.
    setting = ("model", *location[2:]) if location[:1] == ("models",) else location
    keys = _allowed_keys(setting[:-1] if kind == "extra_forbidden" else setting)
    path, key = ".".join(_path(location)) or "(top level)", ".".join(_path(setting))
    if kind == "extra_forbidden":
        if key in REPLACED:
            return f"{path}: there is no such key any more: {REPLACED[key]}"
        (meant, *_) = get_close_matches(str(setting[-1]), keys) or [None]
        advice = f"did you mean {meant}?" if meant else f"allowed here: {', '.join(keys)}"
        return f"{path}: unknown key; {advice}"
    if kind == "missing":
        return f"{path}: missing; it must be given"
    allowed = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    allowed = allowed.partition(", unable to parse")[0]
    if kind.startswith("union_tag"):
        sources = " or ".join(
            json.dumps(source_of(section)) for section in sections_below(Settings)[setting[0]]
        )
        if kind == "union_tag_not_found":
            return f"{path}.source: missing; allowed: {sources}"
        path, given = f"{path}.source", given["source"]
        allowed = REPLACED.get(f"{key}.source: {given}", sources)
    elif kind.startswith("model_"):
        allowed = f"a section with keys {', '.join(keys)}"
    shown = json.dumps(given, default=str)
    shown = shown if len(shown) <= 120 else shown[:117] + "..."
    return f"{path}: given {shown}; allowed: {allowed}"


def _path(location: tuple[str | int, ...]) -> list[str]:
    """Keys that lead to a place in the file; pydantic's also names the chosen form of a section."""
    form = {("data",): 1, ("model",): 1, ("models",): 2}.get(location[:1])
    keys = location if form is None else (*location[:form], *location[form + 1 :])
    return [str(part) for part in keys]


def _allowed_keys(location: tuple[str | int, ...]) -> list[str]:
    section: type[Section] = Settings
    for part in location:
        choices = sections_below(section).get(str(part)) or [section]
        section = choices[0]
        for choice in choices:
            if part == choice.__name__ or location[-1] == source_of(choice):
                section = choice
    return sorted(own_keys(section))
