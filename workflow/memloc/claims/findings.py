"""What a study found, in five plain lines, with which a run ends, and report, figures and explorer open.

Counts are of the tables, verdicts those of table `claims`: nothing is estimated here.
"""

from collections.abc import Mapping

import pandas as pd

from memloc.data.sets import without_controls
from memloc.localization.highlight import ORDER, highlighted_head
from memloc.run.templates import percent
from memloc.settings.base import Section
from memloc.settings.removal_ways import EDITS, LABELS, NOTHING
from memloc.tables.terms.claims import ERROR, FAILS, HOLDS, NO_DIFFERENCE, TOO_FEW, counted, outcomes
from memloc.tables.terms.head_ranking import PAPER_METHODS
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
    "layer_bypass": ("block", "layer", "group", "em"),
    "edits": ("id", "objective", "arm", "em_memorized", "em_other", "em_other_before"),
    "removal": ("way", "mode", "id", "em", "relearning_steps"),
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
    HOLDS: "One head leads, whichever paragraphs are drawn.",
    FAILS: "No head stands out.",
    NO_DIFFERENCE: "No head stands out.",
    TOO_FEW: "Not settled: too few paragraphs.",
}
# That of non-memorized paragraphs is what the model itself writes.
TEXTS = {"memorized": "other recited paragraphs", "non_memorized": "text after other prefixes"}
HARM = 0.1  # share of tokens; a way that costs other text less is not said to change it
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
    others = f"So do, without memory, {_of(recited[unseen])} that it never saw."
    if not unseen.any():
        others = "There are no unseen ones to compare with."
    only = ONLY_THERE if verdicts.get(ANYWHERE) == FAILS else ""
    return (
        f"{_of(recited[seen], ' paragraphs')}: given the first {counted(paragraph.prefix, 'token')}, the "
        f"model goes on word for word for {paragraph.continuation} more. {others}{only}"
    )


def _triggers(perturbation: pd.DataFrame, n_prefix: int, n_tokens: int) -> str:
    rows = perturbation[(perturbation["set"] == "memorized") & (perturbation["position"] != UNPERTURBED)]
    stopped, few = rows["em"] < n_tokens, max(n_prefix // 5, 1)
    ends = rows["position"] < few, rows["position"] >= n_prefix - few
    first, last = (stopped[end].mean() for end in ends)
    mostly = "Tokens all over the prefix"
    if max(first, last) > 2 * min(first, last):
        mostly = f"Mostly the {'last' if last > first else 'first'} tokens of the prefix"
    very_last = stopped[rows["position"] == n_prefix - 1].mean()
    return (
        f"{mostly}. A random token in the last of {counted(n_prefix, 'place')} stops recitation in "
        f"{percent(very_last)} of trials, in one of the last {few} in {percent(last)}, in one of the first "
        f"{few} in {percent(first)} ({counted(rows['id'].nunique(), 'paragraph')})."
    )


def _place(tables: Tables, verdicts: pd.Series, settings: Section) -> str:
    """Heads that methods rank first, and what is left with an attention's or MLP's mean in its place."""
    (layer, head), ranking = highlighted_head(dict(tables), settings), tables["head_ranking"]
    left = tables["layer_bypass"].groupby(["group", "block", "layer"], observed=True)["em"].mean()
    recited, other = left["memorized"], left["non_memorized"]
    without = tables["head_ablation"].query("group == 'memorized'")
    stops = without["em"] < settings.paragraph.continuation
    stopped, n_recited = stops.groupby([without["layer"], without["head"]]).sum(), without["id"].nunique()
    first = ranking[ranking["method"].isin(PAPER_METHODS)].sort_values(ORDER).groupby("method").first()
    n_first, n_worse = len(first[["layer", "head"]].drop_duplicates()), int((recited < other).sum())
    # Of a head that is configured, no claim says that it stands out.
    verdict, named = verdicts.get(ONE_HEAD), "first on average"
    if settings.highlight:
        verdict, named = None, "that of the settings"
    return (
        f"{STANDS_OUT.get(verdict, 'Not known.')} {len(first)} methods put "
        f"{'the same head' if n_first == 1 else f'{n_first} different heads'} first; without head {head} of "
        f"layer {layer}, {named}, {stopped[layer, head]} of {counted(n_recited, 'recitation')} stop, without "
        f"another head {stopped.drop((layer, head)).mean():.1f}. Of {len(recited)} attentions and MLPs, "
        f"{n_worse or 'none'} matter{'s' * (n_worse < 2)} more to recited text than to "
        f"{TEXTS['non_memorized']}: without one, {recited.mean():.0f} and {other.mean():.0f} of "
        f"{settings.paragraph.continuation} tokens stay on average."
    )


def _removal(tables: Tables, n_tokens: int) -> str:
    """The best way, by the share of paragraphs that are gone minus the mean share of tokens that is lost."""
    together = "removal" in tables
    gone, lost = (_removed if together else _unlearned)(tables, n_tokens)
    best = (gone.mean() - lost.mean(axis=1)).idxmax()
    answer = (
        "Not all of it"
        if not gone[best].all()
        else "Only by changing other text"
        if lost.loc[best].max() > HARM
        else "Yes"
    )
    kept = [f"{n_tokens * (1 - share):.0f} in {TEXTS[group]}" for group, share in lost.loc[best].items()]
    back = ""
    if together and tables["removal"]["relearning_steps"].notna().any():
        again = tables["removal"].query("mode == 'joint' and way == @best and em < @n_tokens")
        back = f" A few steps of training on these bring {again['relearning_steps'].count()} back."
    return (
        f"{answer}. The best trade-off of {counted(len(lost), 'edit')} ({LABELS[best]}, "
        f"{'all paragraphs at once' if together else 'a paragraph at a time'}) stops {gone[best].sum()} of "
        f"{counted(len(gone), 'recitation')}; of {n_tokens} tokens, {' and '.join(kept)} stay.{back}"
    )


def _removed(tables: Tables, n_tokens: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whether each paragraph (row) is gone, by way that changes weights; the share of tokens that is lost,
    a row per way, a column per kind of text."""
    left, damage = (tables[name][tables[name]["mode"] == "joint"] for name in ("removal", "removal_damage"))
    em = damage[damage["group"].isin(TEXTS)].groupby(["way", "group"])["em"].mean().unstack()
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
    return f"{happened.sum():,} of {len(happened):,}{of} ({percent(happened.mean())})"
