"""What a study found, in five plain lines, with which a run ends, and report, figures and explorer open.

Counts are of the tables, verdicts those of table `claims`: nothing is estimated here.
"""

from collections.abc import Mapping

import pandas as pd

from memloc.data.sets import without_controls
from memloc.localization.highlight import highlighted_head
from memloc.settings.base import Section
from memloc.settings.removal_ways import EDITS, LABELS, NOTHING
from memloc.tables.terms.claims import ERROR, FAILS, HOLDS, NO_DIFFERENCE, TOO_FEW, counted, outcomes
from memloc.tables.terms.perturbation import UNPERTURBED
from memloc.tables.terms.sets import UNSEEN

Tables = Mapping[str, pd.DataFrame]
READ = {  # tables and their columns; those of removal where the study makes them
    "sets": ("id", "set"),
    "scores": ("id", "em"),
    "claims": ("id", "verdict"),
    "perturbation": ("id", "set", "position", "em"),
    "head_ranking": ("method", "layer", "head", "rank"),
    "head_ablation": ("group", "id", "layer", "head", "em"),
    "layer_bypass": ("block", "way", "layer", "group", "id", "em", "em_lost"),
    "edits": ("id", "objective", "arm", "em_memorized", "em_other", "em_other_before"),
    "removal": ("way", "mode", "id", "em"),
    "removal_damage": ("way", "mode", "group", "id", "em"),
}
WAYS = tuple(way for way in EDITS if way != "random")  # those that change weights, without the control
QUESTIONS = (
    "What is memorized?",
    "What triggers it?",
    "Where is it?",
    "Can it be removed?",
    "Which claims hold?",
)
# Claims that the lines rest on.
ANYWHERE = "recited_wherever_they_stand"
ONE_HEAD = "one_head_leads"
STANDS_OUT = {
    HOLDS: "The methods name it first, whichever paragraphs are drawn.",
    FAILS: "It does not stand out.",
    NO_DIFFERENCE: "It does not stand out.",
    TOO_FEW: "The paragraphs are too few to say whether it stands out.",
}
OTHERS = "other text that the model writes"  # its own continuations of paragraphs that it does not recite
LOSSES = {
    "memorized": "other recited paragraphs lose {} of their tokens",
    "non_memorized": f"{OTHERS} loses {{}} of its tokens",
}
HARM = 0.1  # share of other text's tokens; who removes a paragraph for less is not said to do harm
FAILED = " See logs/claims.log for the errors."
ONLY_THERE = (
    " They are recited from position 0, and not wherever they stand: all that follows is about that place."
)


def findings(tables: Tables, settings: Section) -> list[str]:
    """The lines, each the answer to one of the questions.

    `tables` has those of `READ` that the study makes. `settings` are `paragraph` and `highlight`.
    """
    verdicts, n_tokens = tables["claims"].set_index("id")["verdict"], settings.paragraph.continuation
    told = (
        _memorized(tables, verdicts, settings.paragraph),
        _triggers(tables["perturbation"], settings.paragraph.prefix, n_tokens),
        _place(tables, verdicts, settings),
        _removal(tables, n_tokens),
        outcomes(verdicts) + FAILED * (ERROR in verdicts.array),
    )
    return [f"{question} {line}" for question, line in zip(QUESTIONS, told, strict=True)]


def _memorized(tables: Tables, verdicts: pd.Series, paragraph: Section) -> str:
    recited = tables["sets"]["id"].map(tables["scores"].set_index("id")["em"]) == paragraph.continuation
    unseen = tables["sets"]["set"] == UNSEEN
    seen = recited.index.isin(without_controls(tables["sets"]).index)
    others = f"; so do {_of(recited[unseen])} that the model has not seen, which can be guessed"
    if not unseen.any():
        others = ", with no unseen ones to compare with"
    only = ONLY_THERE if verdicts.get(ANYWHERE) == FAILS else ""
    given, follow = f"Given their first {counted(paragraph.prefix, 'token')}", paragraph.continuation
    return (
        f"{given}, {_of(recited[seen], ' paragraphs')} go on word for word for {follow} more{others}.{only}"
    )


def _triggers(perturbation: pd.DataFrame, n_prefix: int, n_tokens: int) -> str:
    rows = perturbation[(perturbation["set"] == "memorized") & (perturbation["position"] != UNPERTURBED)]
    stopped, few = rows["em"] < n_tokens, max(n_prefix // 5, 1)
    ends = rows["position"] < few, rows["position"] >= n_prefix - few
    first, last = (stopped[end].mean() for end in ends)
    mostly = "Tokens all over the prefix"
    if max(first, last) > 2 * min(first, last):
        mostly = f"Mostly the {'last' if last > first else 'first'} tokens of the prefix"
    hang = stopped.groupby(rows["id"]).any()
    return (
        f"{mostly}. Another token at one of the last {few} places of {n_prefix} stops {_percent(last)} of "
        f"the recitations; at one of the first {few}, {_percent(first)}. Of "
        f"{counted(len(hang), 'paragraph')}, {hang.sum()} can be stopped by a single token."
    )


def _place(tables: Tables, verdicts: pd.Series, settings: Section) -> str:
    """What is lost without the attention of a layer, and the head that the methods rank first."""
    head, bypass = highlighted_head(dict(tables), settings), tables["layer_bypass"]
    skipped = bypass[(bypass["block"] == "attention") & (bypass["way"] == "identity")]
    recited, other = (_lost(skipped[skipped["group"] == group]) for group in ("memorized", "non_memorized"))
    heads, n_recited = _stopped(tables["head_ablation"], settings.paragraph.continuation)
    # Of a head that is configured, no claim says that it stands out.
    auto = not settings.highlight
    verdict = verdicts.get(ONE_HEAD) if auto else None
    layer, n_worse = recited.idxmax(), (recited > other).sum()
    matter = "matters" if n_worse < 2 else "matter"
    found = f"In head {head[1]} of layer {head[0]}" if verdict == HOLDS else "Not found in one head"
    named = f"{'The methods rank' if auto else 'The settings name'} head {head[1]} of layer {head[0]}"
    said = (
        f"{found}; {n_worse or 'none'} of {counted(len(recited), 'layer')} {matter} more to recited text "
        f"than to {OTHERS}. Without the attention of layer {layer}, recited text loses "
        f"{_percent(recited[layer])} of its tokens, and other text {_percent(other[layer])}; without that of "
        f"another layer, {_percent(recited.drop(layer).mean())} and {_percent(other.drop(layer).mean())} on "
        "average.",
        f"{named}{' first' * auto}: without it, {heads[head]} of {counted(n_recited, 'recitation')} stop, "
        f"and without another head {heads.drop(head).mean():.1f} on average.",
        STANDS_OUT.get(verdict, ""),
    )
    return " ".join(filter(None, said))


def _stopped(rows: pd.DataFrame, n_tokens: int) -> tuple[pd.Series, int]:
    """How many recitations stop without each head, and of how many."""
    rows = rows[rows["group"] == "memorized"]
    stopped = rows["em"] < n_tokens
    return stopped.groupby([rows["layer"], rows["head"]]).sum(), rows["id"].nunique()


def _lost(rows: pd.DataFrame) -> pd.Series:
    """Share of its own tokens that text loses without each layer."""
    of = rows.groupby("layer")[["em", "em_lost"]].sum()
    return of["em_lost"] / of.sum(axis=1)


def _removal(tables: Tables, n_tokens: int) -> str:
    """The best way, by the share of paragraphs that are gone minus the mean share of tokens that is lost."""
    together = "removal" in tables
    gone, lost = (_removed if together else _unlearned)(tables, n_tokens)
    best = (gone.mean() - lost.mean(axis=1)).idxmax()
    answer = (
        "Not all of it"
        if not gone[best].all()
        else "Only with harm"
        if lost.loc[best].max() > HARM
        else "Yes"
    )
    harm = [LOSSES[group].format(_percent(share)) for group, share in lost.loc[best].items()]
    return (
        f"{answer}. The best of {counted(len(lost), 'way')} to change weights ({LABELS[best]}, "
        f"{'all paragraphs together' if together else 'a paragraph at a time'}) stops {gone[best].sum()} of "
        f"{counted(len(gone), 'recitation')}; {' and '.join(harm)}."
    )


def _removed(tables: Tables, n_tokens: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whether each paragraph (row) is gone, by way that changes weights; the share of tokens that is lost,
    a row per way, a column per kind of text."""
    left, damage = (tables[name][tables[name]["mode"] == "joint"] for name in ("removal", "removal_damage"))
    em = damage[damage["group"].isin(LOSSES)].groupby(["way", "group"])["em"].mean().unstack()
    ways = [way for way in WAYS if way in em.index]
    gone = left.pivot(index="id", columns="way", values="em")[ways] < n_tokens
    return gone, 1 - em.loc[ways] / em.loc[NOTHING]


def _unlearned(tables: Tables, n_tokens: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same of edits of one paragraph at a time."""
    edits = tables["edits"]
    edits = edits[(edits["objective"] == "unlearn") & edits["arm"].isin(WAYS)]
    gone = edits.pivot(index="id", columns="arm", values="em_memorized") < n_tokens
    em = edits.groupby("arm", observed=True)[["em_other", "em_other_before"]].mean()
    return gone, (1 - em["em_other"] / em["em_other_before"]).to_frame("non_memorized")


def _of(happened: pd.Series, of: str = "") -> str:
    return f"{happened.sum():,} of {len(happened):,}{of} ({_share(happened)})"


def _share(happened: pd.Series) -> str:
    return _percent(happened.mean())


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
