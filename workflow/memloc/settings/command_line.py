"""Settings from the command line, `--config 'remove={ways: [top], n_joint: 8}'`, with their types."""

from typing import Any

import yaml


def typed(given: Any) -> Any:
    """What the command line gives, as a config file would: 8 is a number, true a truth, null nothing.

    Snakemake reads a value of its own so, but all that is in a section or a list as text, and without its
    quotes: a number in quotes is a number here.
    """
    return given if isinstance(given, str) else _read(given)


def _read(given: Any) -> Any:
    if isinstance(given, dict):
        return {key: _read(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [_read(value) for value in given]
    return _scalar(given) if isinstance(given, str) else given


def _scalar(text: str) -> Any:
    tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False))
    return yaml.constructor.SafeConstructor().construct_object(yaml.ScalarNode(tag, text))
