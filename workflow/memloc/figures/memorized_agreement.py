"""A published list of memorized paragraphs against those of the run (not in the paper)."""

import pandas as pd

from memloc.expected import agreement_numbers
from memloc.figures.style import COLOURS, PAGE_WIDTH, Drawing, panel_label, subplots

GROUPS = (("n_both", "both"), ("n_only_here", "only this run"), ("n_only_published", "only published"))


def draw(tables: dict[str, pd.DataFrame], settings: dict) -> Drawing:
    """(a) Sizes of the overlap; (b) difference of the NLLs (nats per token) against the published NLL."""
    data = tables["memorized_agreement"]
    numbers = agreement_numbers(data)
    figure, (sizes, difference) = subplots(PAGE_WIDTH, 2.2, ncols=2, width_ratios=(1, 2))
    bars = sizes.barh([label for _, label in GROUPS], [numbers[key] for key, _ in GROUPS], color="0.7")
    bars[0].set_color(COLOURS["memorized"])
    sizes.bar_label(bars, padding=2, fontsize=6)
    sizes.invert_yaxis()
    sizes.margins(x=0.2)
    sizes.set(xlabel="memorized paragraphs")

    found = data[data["published"] & data["id"].notna()]
    for memorized, label in ((True, "memorized here"), (False, "not memorized here")):
        rows = found[found["memorized"] == memorized]
        colour = COLOURS["memorized" if memorized else "non_memorized"]
        difference.scatter(
            rows["published_nll"],
            rows["nll"] - rows["published_nll"],
            s=5,
            alpha=0.6,
            linewidths=0,
            color=colour,
            label=f"{label}, {len(rows):,}",
        )
    difference.axhline(0, color="0.6", lw=0.6, zorder=0)
    difference.set(
        xlabel="published NLL (nats per token)", ylabel="this run's NLL\nminus the published", xlim=(0, None)
    )
    difference.legend(markerscale=2)
    panel_label(sizes, "a")
    panel_label(difference, "b")
    return Drawing(figure, data, numbers)
