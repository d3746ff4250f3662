"""The words that captions and the explorer use: few, and none of them without a meaning."""

import re

from memloc.explorer.files import PAGE
from memloc.explorer.selection import SCORES
from memloc.figures.parts.style import set_labels
from memloc.settings.sections import sections
from memloc.tables.terms.words import WORDS


def test_there_are_at_most_thirty():
    assert len(WORDS) <= 30 and all(meaning.endswith(".") for meaning in WORDS.values())


def test_every_term_of_the_explorer_has_a_meaning():
    """The explorer looks for a word with which the term begins."""
    scripts = "".join(path.read_text() for path in PAGE.glob("*.js"))
    named = re.findall(r'memloc\.term\("([^"]+)"', scripts)
    labels = set_labels(sections({"paragraph": {"length": 100, "prefix": 50}}))
    sets = [labels[name] for name in ("memorized", "partly_11_29", "non_memorized", "unseen", "held_out")]
    terms = [*named, *SCORES.values(), *sets, "greedy", "perturbed"]
    assert len(named) > 1 and [term for term in terms if not term.startswith(tuple(WORDS))] == []
