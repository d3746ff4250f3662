"""Estimators of the topic `weight_noise`: do the weights with the largest gradients hold paragraphs?"""

from memloc.claims.specific import DESTROYED, in_proportion
from memloc.claims.verdicts import Estimate, NotApplicable, Tables
from memloc.data.sets import NO_PAIRS, paired_differences
from memloc.settings.base import Section
from memloc.statistics.studentised import two_way
from memloc.statistics.uncertainty import MIN_N
from memloc.tables.judged_texts import PAIRED


def noise_on_top_is_specific(tables: Tables, settings: Section) -> Estimate:
    """NLL after noise on top-gradient weights minus after noise on as many random weights.

    Values are the memorized minus the other paragraph of a pair of equal exposure, averaged over sizes of the
    noise that do not destroy the model. No paragraph of a pair has chosen the weights. A draw of the noise
    affects all paragraphs together, so draws are a sample of their own. The estimate is in doubt if others
    are harmed in proportion (`claims.specific`).
    """
    table = tables["weight_noise"]
    rows = table[(table["size"] > 0) & (table["group"] == PAIRED)]
    if rows.empty:
        raise NotApplicable(NO_PAIRS)
    whole = table[(table["size"] == 0) & (table["group"] == PAIRED)].groupby("id")["nll"].mean()
    risen = rows.groupby(["size", "arm"], observed=True)["nll"].mean().unstack().max(axis=1) - whole.mean()
    rows = rows[rows["size"].isin(risen.index[risen <= DESTROYED])]
    if rows.empty:
        raise NotApplicable(f"noise of every size raises the NLL of one arm by more than {DESTROYED:g} nats")
    nll = rows.groupby(["id", "draw", "arm"], observed=True)["nll"].mean().unstack("arm")
    more = paired_differences((nll["top"] - nll["random"]).unstack("draw"), tables["sets"])
    gained = nll.groupby("id").mean().sub(whole, axis=0)[["top", "random"]]
    doubt = in_proportion(gained, tables["sets"])
    if more.shape[1] < MIN_N:
        doubt = f"fewer than {MIN_N} draws could all go one way by chance"
    return Estimate.of(two_way(more.to_numpy()), doubt=doubt)
