"""Which tables are on the page, and why others are not. Imports nothing heavy: the Snakefile reads it."""

from collections.abc import Collection, Sequence

from memloc.settings.explorer import NEEDED, SHOWN

BY_PARAGRAPH = ("paragraphs", "attention", "activation_gradients")  # long: only rows of what is on the page


def tables_on_page(made: Collection[str], asked: Sequence[str] | None) -> list[str]:
    """Tables to read, of those that the study makes; `asked` is setting `explorer.tables`."""
    return [*NEEDED, *(name for name in SHOWN if name in made and (asked is None or name in asked))]


def left_out(made: Collection[str], asked: Sequence[str] | None) -> dict[str, str]:
    """Tables that are not on the page, each with the reason."""
    missing = {name: "this study does not make it" for name in SHOWN if name not in made}
    kept = made if asked is None else asked
    unasked = {name: "not among explorer.tables" for name in SHOWN if name in made and name not in kept}
    without_view = set(made) - set(SHOWN) - set(NEEDED)
    return unasked | missing | dict.fromkeys(sorted(without_view), "shown by its figures only")
