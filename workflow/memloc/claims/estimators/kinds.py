"""Estimator of the topic `kinds`: what is recited without having been remembered (2406.17746)."""

from memloc.claims.verdicts import NotApplicable, Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, share

MOST = 5  # occurrences of a paragraph that is rare


def rare_ones_are_reconstructed(tables: Tables, settings: Section) -> Evidence:
    """Share of the recited paragraphs with few exact copies that are reconstructions."""
    if "kinds" not in tables:
        raise NotApplicable("the training text is not known")
    data = tables["kinds"].merge(tables["near_copies"], on="id")
    rare = data[data["within_0"] <= MOST]
    return share(int((rare["kind"] == "reconstruction").sum()), len(rare))
