"""Estimators of the topic `editing`: effects of edits of all, top-gradient and random weights (paper 5.3).

Arms are compared at the dose that each needs: the mildest learning rate at which a paragraph is no longer
recited. At one rate for all, the rate would be compared, and not the arms.
"""

import numpy as np
import pandas as pd

from memloc.claims.unlike import unlike
from memloc.claims.verdicts import Tables
from memloc.settings.base import Section
from memloc.statistics.exact import Evidence, median, rate


def editing_is_harder(tables: Tables, settings: Section) -> Evidence:
    """Of the paragraphs for which all weights need another rate for editing than for unlearning, the share of
    those that need the higher one for editing. Only paragraphs count that both were tried on; what no rate
    does is harder than what any rate does."""
    rates = []
    for objective in ("edit", "unlearn"):
        tried = tables["edits"].query(f"objective == '{objective}' and arm == 'all'")
        dose = tried["learning_rate"].where(tried["em_memorized"] < settings.paragraph.continuation, np.inf)
        rates.append(dose.set_axis(tried["id"]))
    both = pd.concat(rates, axis=1, join="inner", keys=["edit", "unlearn"])
    harder = unlike(both.query("edit != unlearn"), tables)
    return rate(harder["edit"] > harder["unlearn"])


def top_spares_controls(tables: Tables, settings: Section) -> Evidence:
    """Median of how much more (nats per token) all weights raise the NLL of a paragraph's controls than the
    top-gradient weights do, at their doses. Only paragraphs count that both unlearn."""
    runs = tables["edits"].query("objective == 'unlearn'")
    doses = runs[runs["em_memorized"] < settings.paragraph.continuation].set_index(["id", "arm"])
    risen = (doses["nll_control"] - doses["nll_control_before"]).unstack("arm")
    spared = unlike(risen.reindex(columns=["all", "top"]).dropna(), tables)
    return median(spared["all"] - spared["top"])


def random_weights_do_nothing(tables: Tables, settings: Section) -> Evidence:
    """Share of the paragraphs that random weights leave recited at the top-gradient weights' dose."""
    runs = tables["edits"].query("objective == 'unlearn'").set_index(["id", "arm"])
    recited = runs["em_memorized"].unstack("arm") == settings.paragraph.continuation
    return rate(unlike(recited.loc[~recited["top"], "random"], tables))
