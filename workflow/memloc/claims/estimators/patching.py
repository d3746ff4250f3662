"""Estimators of the topic `patching`: heads whose activations carry the perturbation (paper A.3)."""

from memloc.claims.named_head import Place, place_of
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.localization.head_scores import patching_scores
from memloc.localization.highlight import head_of_other_methods
from memloc.settings.base import Section


def patching_points_elsewhere(tables: Tables, settings: Section) -> Place:
    """Place of the head that other methods name by the size of the change, the smallest first.

    Only spread pairs count: at the token that predicts the impact token, another intervention is made.
    """
    patching = tables["patching"]
    if (patching["method"] != "exact").any():
        raise NotApplicable("patches of this model were estimated, not run")
    spread = tables["perturbed_paragraphs"].query("position < impact_position - 1")["id"]
    patching = patching[patching["id"].isin(spread)]
    if patching.empty:
        raise NotApplicable("every perturbed token predicts the impact token itself")
    sizes = patching_scores(patching, n_heads=int(tables["head_ranking"]["head"].max()) + 1)
    return place_of(head_of_other_methods(tables, settings, "patching"), -sizes)
