"""The page of a benchmark: tables by hand, prose at one width, commands as they are."""

import pandas as pd

from memloc.bench.page import page

PROSE = "On {processor} with {threads} threads ({width} wide): " + "words " * 30 + "{versions}."
BLOCKS = ["# Title", "    {command}\n    another", PROSE, "{stages}", "{growth}", "The last line.\n"]
STAMP = {
    "versions": {"torch": "2.9", "numpy": "2.3"},
    "threads": 2,
    "study": "bench",
    "machine": {"processor": "any"},
    "settings": {"bench": {"width": 768}},
}
SCORING = {"stage": "scoring", "item": "paragraph", "n_items_fast": 64, "n_items_plain": 8, "matched": 0.75}
SCORING |= {"seconds_fast": 2.0, "seconds_plain": 1.0, "ratio": 4.0, "gflop": 1234.4, "dtype": "float32"}
SCORING |= {"peak_share": 0.617, "peak_rate": 1000.2, "memory_fast": 900.0, "memory_plain": 1500.0}
GROWTH = pd.DataFrame({"n_paragraphs": [64, 128], "seconds": [2.0, 3.0], "memory": [800.0, 1200.0]})


def test_a_page_says_what_was_measured_where_and_how_it_grows():
    patching = SCORING | {"stage": "patching", "matched": float("nan")}
    written = page("\n\n".join(BLOCKS), pd.DataFrame([SCORING, patching]), GROWTH, STAMP)
    title, commands, prose, stages, growth, last = written.split("\n\n")
    assert (title, last) == ("# Title", "The last line.\n")
    assert commands == "    snakemake --cores 2 bench --configfile config/bench.yaml\n    another"
    assert prose.startswith("On any with 2 threads (768 wide): words") and "torch 2.9, numpy 2.3." in prose
    assert 100 < max(map(len, prose.split("\n"))) <= 110
    header, _, scored, patched = stages.split("\n")
    assert header.startswith(
        "| stage | item | items | seconds | ratio | goal | GFLOP | of peak | memory (MB) |"
    )
    assert scored == "| `scoring` | paragraph | 64 / 8 | 2.00 / 1.00 | 4.0 | 2.5 | 1,234 | " + (
        "62% of 1,000 GFLOP/s (float32) | 900 / 1,500 | 75% |"
    )
    assert patched.endswith("900 / 1,500 |  |"), "patching matches nothing"
    assert growth.split("\n")[2:] == ["| 64 | 2.00 | 1.00 | 800 |", "| 128 | 3.00 | 0.75 | 1,200 |"]
