"""The list of figures and tables to look at: names, titles, where they are in the paper, what they read.

Imports nothing heavy: the Snakefile, the table in docs/figures.md and the tests read it.
"""

from memloc.figures.catalog.across_models import ACROSS_MODELS
from memloc.figures.catalog.extended import EXTENDED
from memloc.figures.catalog.figure_info import FigureInfo
from memloc.figures.catalog.paper import PAPER

FIGURES: tuple[FigureInfo, ...] = (*PAPER, *EXTENDED, *ACROSS_MODELS)
OF_PLANTS = ("plants", "curves of plants", "levels of plants")  # `only_for` of figures of planted truth
ON_REQUEST = (*OF_PLANTS, "removal")  # `only_for` of figures that a study's settings ask for
