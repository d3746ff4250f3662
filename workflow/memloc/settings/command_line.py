"""Settings within a section from the command line: `--config 'remove={ways: [top], n_joint: 8}'`."""

from collections.abc import Iterable
from typing import Any

import yaml


def take_types(config: dict[str, Any], entries: Iterable[str]) -> None:
    """Give values from the command line the types that they would have in a config file.

    Snakemake reads values in a section or a list as text. They are replaced only where `config` still holds
    this text. Values that no config file could hold stay text, and the check of the settings reports them.

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
