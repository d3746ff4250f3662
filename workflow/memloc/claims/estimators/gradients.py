"""Estimators of the topic `gradients`: where the gradients of the weights are large (paper 5.1, 5.2).

Memorized and non-memorized paragraphs are the paper's samples, which occur unequally often; topic
`paired_gradients` compares paragraphs of equal exposure.
"""

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import NotApplicable, Tables
from memloc.localization.gradient_sizes import paragraph_sizes
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median, rate


def non_memorized_gradients_larger(tables: Tables, settings: Section) -> Evidence:
    """Log of the ratio of all |gradients|, a non-memorized to a memorized paragraph."""
    sizes, sets = paragraph_sizes(tables["paragraph_gradients"])["log_size"], tables["sets"]
    sampled = sets[sets["sampled"]]
    groups = (sampled["id"][sampled["set"] == name] for name in ("non_memorized", "memorized"))
    return median(*(unlike(sizes.loc[ids], tables) for ids in groups))


def one_value_matrix_leads(tables: Tables, settings: Section) -> Evidence:
    """Share of the parts of the sample in which one W_V has the largest gradient of all heads' matrices.

    It must lead in both objectives, and in the rest of the sample, too.
    """
    samples = tables["parameter_gradient_samples"].dropna(subset="head")
    if "rest" not in set(samples["sample"]):
        raise NotApplicable("there is one paragraph")
    matrix, keys = ["component", "layer", "head"], ["sample", "number", "group"]
    first = samples.pivot(index=keys, columns=matrix, values="max_abs").idxmax(axis=1).unstack("group")
    part, rest = first.loc["part"], first.loc["rest"]
    alike = (part == rest.loc[part.index]).all(axis=1) & (part["memorized"] == part["contrastive"])
    return rate(alike & (part["memorized"].str[0] == "W_V"))
