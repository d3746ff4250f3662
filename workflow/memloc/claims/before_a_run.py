"""Before a run: which claims can its samples decide?"""

import math

from memloc.claims.registry import Claim, topics
from memloc.settings.base import Section
from memloc.statistics.exact import fewest
from memloc.tables.terms.claims import PER_CENT, counted

LEVEL = 0.05
UNLIKE_PAIRS, UNLIKE = 0.5, 0.8  # share of what is sampled: 28 of 60 pairs, 41 of 50 paragraphs of `mini`


def needed(claim: Claim, family: int) -> int:
    """Fewest units that can show either side, if all lie on it, among so many claims of a topic."""
    if claim.scale != PER_CENT:
        return math.ceil(fewest(0.5, LEVEL / family))
    low, high = claim.bound - claim.matters, claim.bound + claim.matters
    sides = (low if claim.rule == "at least" else high), 1 - low
    return math.ceil(max(fewest(chance, LEVEL / family) for chance in sides))


def out_of_reach(study: Section) -> list[str]:
    """A line for each claim whose sample, a setting of the study, is too small to show either side.

    Claims count texts that are unlike. How many will be is not known before the run: as many as in `mini`.
    """
    lines = []
    for topic in topics().values():
        for claim in (claim for claim in topic.claims if claim.sample):
            section, key = claim.sample.split(".")
            asked, needs = getattr(getattr(study, section), key), needed(claim, len(topic.claims))
            unlike = math.floor(asked * (UNLIKE_PAIRS if key == "n_pairs" else UNLIKE))
            if unlike < needs:
                units = counted(needs, f"unlike {claim.unit}")
                lines.append(f"{claim.id} needs {units}: {claim.sample} is {asked}, which may give {unlike}")
    return lines
