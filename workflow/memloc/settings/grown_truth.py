"""Settings: section `grown_truth`."""

from pydantic import Field

from memloc.settings.base import Judging, Positive, Section


class GrownTruth(Section):
    """Every localization method is asked where the memories of `model.grown` are."""

    integration_steps: Positive = Field(10, description="Steps of integrated gradients.")
    n_judging: Judging = 16
