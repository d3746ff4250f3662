"""Valid configs, models for a study of several, and the message for a config that is made wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from memloc.run.errors import InputError
from memloc.settings.errors import validate
from memloc.settings.study import Settings

ROOT = Path(__file__).parents[2]

VALID = {"study": "x", "data": {"source": "drawn"}, "model": {"source": "embedded"}}
SMALL, LARGE = {"source": "embedded", "width": 64}, {"source": "embedded", "width": 128}


def study(name: str, **changes: Any) -> Settings:
    """Settings of a config file, with other sections in place of some."""
    given = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    return Settings.model_validate(given | changes)


def message(**changes) -> str:
    """The message for the valid config with these keys changed (or left out, where they are `...`)."""
    config = {key: value for key, value in {**VALID, **changes}.items() if value is not ...}
    with pytest.raises(InputError) as error:
        validate(config, "config/mine.yaml")
    return str(error.value)
