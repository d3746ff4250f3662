"""A valid config, models for a study of several, and the message for a config that is made wrong."""

import pytest

from memloc.settings.errors import ConfigError, validate

VALID = {"study": "x", "data": {"source": "drawn"}, "model": {"source": "embedded"}}
SMALL, LARGE = {"source": "embedded", "width": 64}, {"source": "embedded", "width": 128}


def message(**changes) -> str:
    """The message for the valid config with these keys changed (or left out, where they are `...`)."""
    config = {key: value for key, value in {**VALID, **changes}.items() if value is not ...}
    with pytest.raises(ConfigError) as error:
        validate(config, "config/mine.yaml")
    return str(error.value)
