"""Recited passages as a page that opens from disk: what is recited is highlighted, what was given is not."""

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from memloc.figures.parts.page import PAGE
from memloc.scoring.passages import place
from memloc.tables.terms.claims import counted

N_GROUPS = 500  # the table holds all passages
ALIKE = 8  # words in a row, with which two passages are alike
N_CHARACTERS = 60  # of a heading
TITLE = "What the model recites of this text"
PARTS = {False: "In this text", True: "In text that the model cannot have seen"}
LEGEND = (
    "<p><mark>Highlighted</mark>: what the model wrote itself, word for word as it stands in the text. The "
    "words before were given to it.</p>\n"
)


def longest_first(recited: pd.DataFrame) -> pd.DataFrame:
    """Table `recited` with its lengths (tokens): the longest passages first, then the most frequent ones."""
    found = recited.assign(tokens=recited["end"] - recited["start"])
    return found.sort_values(["tokens", "count"], ascending=False, kind="stable", ignore_index=True)


def recited_page(told: Sequence[str], found: pd.DataFrame) -> str:
    """The page as HTML: sentences, contents, and the passages of `longest_first`."""
    groups = [(unseen, group) for unseen, own in found.groupby("unseen") for group in like_passages(own)]
    parts = [f"<p>{shown(text)}</p>\n" for text in told]
    if groups:
        parts += [LEGEND, *_contents(found, groups)]
    for unseen, title in PARTS.items():
        own = [_group(n, group) for n, (flag, group) in enumerate(groups[:N_GROUPS], 1) if flag == unseen]
        parts += [f"<h2>{title}</h2>\n", *own] if own else []
    return PAGE.format(title=TITLE, content="".join(parts))


def like_passages(found: pd.DataFrame) -> list[pd.DataFrame]:
    """Groups of passages in order, since text of many files makes many. One belongs to the first group whose
    first passage is like it: both, with what was given, hold the same `ALIKE` words in a row, or are one.
    """
    group_of: dict[tuple[str, ...], int] = {}
    members: list[list[int]] = []
    for number, text in enumerate(found["prefix"] + found["continuation"]):
        words = text.split()
        runs = [tuple(words[i : i + ALIKE]) for i in range(max(1, len(words) - ALIKE + 1))]
        known = [group_of[run] for run in runs if run in group_of]
        if known:
            members[min(known)].append(number)
        else:
            group_of |= dict.fromkeys(runs, len(members))
            members.append([number])
    return [found.iloc[numbers] for numbers in members]


def _contents(found: pd.DataFrame, groups: Sequence[tuple[bool, pd.DataFrame]]) -> list[str]:
    """How many passages there are, and a link to each group."""
    said = (
        f"{_size(found)}. Those with the same {ALIKE} words in a row stand together, which makes "
        f"{counted(len(groups), 'group')}."
    )
    if len(groups) > N_GROUPS:
        said += f" Shown are the first {N_GROUPS:,}: table `recited` lists all."
    lines = [
        f'<li><a href="#group-{n}">{_heading(group)}</a> {_size(group)}{", unseen" if unseen else ""}</li>\n'
        for n, (unseen, group) in enumerate(groups[:N_GROUPS], 1)
    ]
    return ["<h2>Contents</h2>\n", f"<p>{said}</p>\n<ol>\n", *lines, "</ol>\n"]


def _size(group: pd.DataFrame) -> str:
    return f"{counted(len(group), 'passage')} in {counted(group['file'].nunique(), 'file')}"


def _heading(group: pd.DataFrame) -> str:
    """The recited words that a group's first passage begins with."""
    words = " ".join(group["continuation"].iloc[0].split())
    cut = words if len(words) <= N_CHARACTERS else f"{words[:N_CHARACTERS].rsplit(' ', 1)[0]} …"
    return shown(cut) or "white space"


def _group(number: int, group: pd.DataFrame) -> str:
    """The first passage with its text, and the places of the others."""
    first, *others = group.itertuples()
    texts = f"<pre>\n{shown(first.prefix)}<mark>{shown(first.continuation)}</mark></pre>\n"
    page = f'<h3 id="group-{number}">{number}. {_heading(group)}</h3>\n<p>{_about(first)}</p>\n{texts}'
    if others:
        places = "".join(f"<li>{_about(row)}</li>\n" for row in others)
        page += (
            f"<details><summary>And {len(others):,} more like it</summary>\n<ul>\n{places}</ul></details>\n"
        )
    return page


def _about(row: Any) -> str:
    """Length and place of a passage."""
    once = f", {row.at_once} of them in one go" if row.at_once < row.tokens else ""
    stands = f"{place(row)} (tokens {row.start + 1} to {row.end} of its document)"
    return shown(f"{row.tokens} tokens{once}: {stands}")


def shown(text: str) -> str:
    """Text for HTML. A character that is neither printable nor a tab or line end, such as a mark that turns
    the direction of text, is written as its code.
    """
    return escape("".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text))
