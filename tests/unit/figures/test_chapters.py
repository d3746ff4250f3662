"""Every figure is in one chapter, and sorts in reading order."""

from collections import Counter

from memloc.figures.catalog import FIGURES
from memloc.figures.chapters import CHAPTERS, chapters, numbered

LISTED = [name for names in CHAPTERS.values() for name in names]


def test_every_figure_is_in_one_chapter():
    assert Counter(LISTED) == Counter(figure.name for figure in FIGURES)


def test_numbers_sort_in_reading_order():
    known = {figure.name: figure for figure in FIGURES}
    assert sorted(LISTED, key=lambda name: numbered(known[name])) == LISTED
    assert numbered(known["fig1"]) == ("2 Figures of the paper", "01"), "the explorer is the first chapter"


def test_chapters_hold_what_is_named_and_no_empty_ones_are_left():
    found = chapters({"fig2", "claims", "table1"})
    names = {title: [figure.name for figure in figures] for title, figures in found.items()}
    assert names == {"Figures of the paper": ["fig2", "table1"], "Claims": ["claims"]}


def test_figures_of_the_paper_are_in_its_chapter_and_no_others():
    own = {figure.name for figure in FIGURES if figure.section not in ("extended", "across models")}
    assert set(CHAPTERS["Figures of the paper"]) == own
    across = {figure.name for figure in FIGURES if figure.section == "across models"}
    assert set(CHAPTERS["Across models"]) == across
