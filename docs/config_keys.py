"""Pages that `generate.py` writes from the settings: the JSON schema, and the table of keys."""

import json
from typing import Any

from memloc.settings.base import Section
from memloc.settings.structure import sections_below, source_of
from memloc.settings.study import Settings


def json_schema() -> str:
    """JSON schema of a config file, for completion and checks in editors."""
    return json.dumps(Settings.model_json_schema(), indent=2) + "\n"


def key_table() -> str:
    """Markdown table of every key: path, allowed values, default, meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|", *_key_rows(Settings, "")]
    return "\n".join(rows) + "\n"


def _key_rows(section: type[Section], prefix: str) -> list[str]:
    """Rows of the keys below a section, without `source`, which the row of each form names."""
    rows = []
    schemas = section.model_json_schema()["properties"]
    for key in (name for name in schemas if name != "source"):
        field = section.model_fields[key]
        below = sections_below(section).get(key, [])
        for choice in below:
            note = f" (`source: {source_of(choice)}`)" if source_of(choice) else ""
            meaning = choice.__doc__.strip().splitlines()[0]
            rows.append(f"| **`{prefix}{key}`**{note} | section |  | {meaning} |")
            keys = _key_rows(choice, f"{prefix}{key}.")
            rows += [row for row in keys if row not in rows]  # forms share some
        if not below or key == "highlight":
            default = "required" if field.is_required() else f"`{json.dumps(field.default)}`"
            rows.append(
                f"| `{prefix}{key}` | {_allowed_values(schemas[key])} | {default} | {field.description} |"
            )
    return rows


def _allowed_values(schema: dict[str, Any]) -> str:
    """Allowed values of one JSON-schema property, in words."""
    if "anyOf" in schema:
        return " or ".join(_allowed_values(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return "section"
    if "patternProperties" in schema:
        return "sections by name"
    limits = {"minimum": "\u2265", "exclusiveMinimum": ">", "maximum": "\u2264", "pattern": "like"}
    stated = [f"{word} `{schema[key]}`" for key, word in limits.items() if key in schema]
    return " ".join([{"null": "nothing"}.get(schema["type"], schema["type"]), *stated])
