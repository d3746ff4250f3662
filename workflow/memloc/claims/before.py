"""Before a run: which claims can its samples decide?"""

import math

from memloc.claims.registry import Claim, topics
from memloc.settings.base import Section
from memloc.statistics.exact import fewest
from memloc.tables.terms.claims import PER_CENT, counted

LEVEL = 0.05


def needed(claim: Claim, family: int) -> int:
    """Fewest units that can show either side, if all lie on it, among so many claims of a topic."""
    if claim.scale != PER_CENT:
        return math.ceil(fewest(0.5, LEVEL / family))
    low, high = claim.bound - claim.matters, claim.bound + claim.matters
    sides = (low if claim.rule == "at least" else high), 1 - low
    return math.ceil(max(fewest(chance, LEVEL / family) for chance in sides))


def out_of_reach(study: Section) -> list[str]:
    """A line for each claim whose sample, a setting of the study, is too small to show either side."""
    lines = []
    for topic in topics().values():
        for claim in (claim for claim in topic.claims if claim.sample):
            section, key = claim.sample.split(".")
            asked, needs = getattr(getattr(study, section), key), needed(claim, len(topic.claims))
            if asked < needs:
                lines.append(f"{claim.id} needs {counted(needs, claim.unit)}: {claim.sample} is {asked}")
    return lines
