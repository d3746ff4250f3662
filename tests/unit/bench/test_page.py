"""The page of a benchmark, by hand."""

import pandas as pd

from memloc.bench.page import page

TEMPLATE = "# On {processor} with {threads} threads ({width} wide), {versions}:\n\n{command}\n\n{stages}\n"
STAMP = {
    "versions": {"torch": "2.9", "numpy": "2.3"},
    "threads": 2,
    "study": "bench",
    "machine": {"processor": "any"},
    "settings": {"bench": {"size": "full"}},
}
SCORING = {"stage": "scoring", "item": "paragraph", "n_items_fast": 64, "n_items_plain": 8}
SCORING |= {
    "seconds_fast": 2.0,
    "seconds_plain": 1.0,
    "ratio": 4.0,
    "memory_fast": 900.0,
    "memory_plain": 1500.0,
}


def test_a_page_says_what_was_measured_where():
    title, command, stages = page(TEMPLATE, pd.DataFrame([SCORING]), STAMP).split("\n\n")
    assert title == "# On any with 2 threads (768 wide), torch 2.9, numpy 2.3:"
    assert command == "snakemake --cores 2 bench --configfile config/bench.yaml"
    header, _, scored = stages.strip().split("\n")
    assert header == "| stage | item | items | seconds | ratio | goal | memory (MB) |"
    assert scored == "| `scoring` | paragraph | 64 / 8 | 2.00 / 1.00 | 4.0 | 2.5 | 900 / 1,500 |"
