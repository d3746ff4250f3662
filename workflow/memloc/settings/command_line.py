"""Settings within a section from the command line: `--config 'remove={ways: [top], n_joint: 8}'`."""

from collections.abc import Iterable
from typing import Any

import yaml


def take_types(config: dict[str, Any], entries: Iterable[str]) -> None:
    """Give what `config` has from the command line the types that it would have from a config file.

    Snakemake reads what is in a section or a list as text. Only where this text still is in `config`, it is
    replaced. What no config file could hold stays text, too, and the check of the settings tells of it.

    Args:
        config: as Snakemake gives it; changed in place.
        entries: key=value, as on the command line.
    """
    for entry in entries:
        key, _, value = entry.partition("=")
        try:
            text, typed = yaml.load(value, yaml.BaseLoader), yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):
            continue
        if isinstance(text, dict | list):
            _replace(config, {key: text}, {key: typed})


def _replace(config: dict[str, Any], text: dict[str, Any], typed: dict[Any, Any]) -> None:
    for key in text.keys() & config.keys() & typed.keys():
        if isinstance(text[key], dict) and isinstance(config[key], dict):
            _replace(config[key], text[key], typed[key])
        elif config[key] == text[key]:
            config[key] = typed[key]
