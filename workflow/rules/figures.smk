# The figures of a study of one model, which memloc/figures/catalog.py lists, and the tables that they show.

from memloc.settings.study import studies_by_seed

ASKED = {
    "capacity": CAPACITY_ASKED,
    "grown": bool(GROWN),
    "grown_removed": GROWN_REMOVED,
    "halves": HALVES_ASKED,
    "places": PLACED,
    "removal": REMOVAL_ASKED,
    "runs": bool(SETTINGS.seeds),
    "trained": MODEL.source in TRAINED,
}
PRESENT = {
    None,
    DATA.source,
    MODEL.source,
    *COMPARED,
    *(name for name in ASKED if ASKED[name]),
}
SHOWN = [figure for figure in FIGURES if figure.only_for in PRESENT]
TABLES = sorted({name for figure in SHOWN for name in figure.tables})
RESAMPLED = studies_by_seed(SETTINGS)

DRAWN = [drawn(figure) for figure in SHOWN]


include: "draw.smk"


rule figures:
    input:
        files_of(SHOWN),
    message:
        "All figures are drawn."


rule tables:
    input:
        [table(name) for name in TABLES],
        [table(name) for name in ("attribution_patching", "claims", "token_statistics")],  # the explorer shows them
        rules.run_config.output,
    message:
        "All tables are computed."
