"""What a study found, in plain lines, with which a run ends, and report, figures and explorer open.

Counts are of the tables, verdicts those of table `claims`: nothing is estimated here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from memloc.data.sets import trained_on
from memloc.localization.highlight import highlighted_head
from memloc.run.templates import percent
from memloc.settings.base import Section
from memloc.settings.removal_ways import EDITS, LABELS, NOTHING
from memloc.tables.terms.claims import ERROR, FAILS, HOLDS, NO_DIFFERENCE, TOO_FEW, counted, outcomes
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS
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
    "layer_bypass": ("layer", "group", "em"),
    "edits": ("id", "objective", "arm", "em_memorized", "em_other", "em_other_before"),
    "removal": ("way", "mode", "id", "em", "relearning_steps"),
    "removal_damage": ("way", "mode", "group", "em"),
    "training_stream": ("file", "tokens"),
}
BLOCKLIST = "ngram_blocklist"
WAYS = tuple(way for way in EDITS if way != "random")  # those that change weights, without the baseline
# Claims that the lines rest on.
ANYWHERE = "recited_wherever_they_stand"
ONE_HEAD = "one_head_leads"
STANDS_OUT = {
    HOLDS: "Head {} of layer {} leads in most tenths of the paragraphs",
    FAILS: "In no single head",
    NO_DIFFERENCE: "In no single head",
    TOO_FEW: "Too few paragraphs to tell heads apart",
}
# That of non-memorized paragraphs is what the model itself writes.
OTHER = "non_memorized"
TEXTS = {"memorized": "other recited text", OTHER: "other text"}
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
    told = {
        "What is memorized?": _memorized(tables, verdicts, settings.paragraph),
        "What triggers it?": _triggers(tables["perturbation"], settings.paragraph.prefix, n_tokens),
        "Where is it?": _place(tables, verdicts, settings),
        "Can it be removed?": _removal(tables, n_tokens),
        "Which claims hold?": outcomes(verdicts) + FAILED * (ERROR in verdicts.array),
    }
    return [f"{question} {line}" for question, line in told.items()]


def studied(model: Mapping[str, Any], stream: pd.DataFrame | None) -> str:
    """The line above the others: the model, and the text if the study trained it on table `stream`."""
    named = model["name"]
    if stream is not None:
        kinds = " and ".join(sorted({Path(file).suffix for file in stream["file"].dropna()}))
        files = f" ({stream['file'].count()} {kinds} files of {model.get('text', '').partition(',')[0]})"
        tokens = counted(stream["tokens"].map(len).sum(), "token")
        named = f"A model trained here on {tokens}{files * ('text' in model)}"
    shape = f"{counted(model['n_layers'], 'layer')} of {counted(model['n_heads'], 'head')}"
    return f"What was studied? {named}: {model['n_parameters']:,} weights in {shape}."


def _memorized(tables: Tables, verdicts: pd.Series, paragraph: Section) -> str:
    recited = tables["sets"]["id"].map(tables["scores"].set_index("id")["em"]) == paragraph.continuation
    unseen = tables["sets"]["set"] == UNSEEN
    seen = recited.index.isin(trained_on(tables["sets"]).index)
    others = f"Of paragraphs that it never saw, it does so for {_of(recited[unseen])}."
    if not unseen.any():
        others = "There are no unseen ones to compare with."
    only = ONLY_THERE if verdicts.get(ANYWHERE) == FAILS else ""
    return (
        f"{_of(recited[seen], ' paragraphs')}: given the first {counted(paragraph.prefix, 'token')}, the "
        f"model goes on word for word for {paragraph.continuation} more. {others}{only}"
    )


def _triggers(perturbation: pd.DataFrame, n_prefix: int, n_tokens: int) -> str:
    rows = perturbation[perturbation["position"] != UNPERTURBED]
    end, few = n_prefix - 1, max(n_prefix // 5, 1)
    places = (end, end), (end - few, end - 1), (0, few - 1)
    shares = {
        name: [(own["em"] < n_tokens)[own["position"].between(*ends)].mean() for ends in places]
        for name, own in rows.groupby("set", observed=True)
    }
    (last, before, first), n = shares["memorized"], rows.loc[rows["set"] == "memorized", "id"].nunique()
    other = ", ".join(map(percent, shares.get(OTHER, [])))
    own = f" Its own continuations, of prefixes that it does not recite, change in {other}." * bool(other)
    mostly = "Tokens all over the prefix"
    if last > 2 * max(before, first):
        mostly = "Mostly the last token of the prefix"
    elif before > 2 * first:
        mostly = "Mostly the last tokens of the prefix"
    elif first > 2 * max(before, last):
        mostly = "Mostly the first tokens of the prefix"
    return (
        f"{mostly}. A random token in the last place stops recitation in {percent(last)} of trials; in one "
        f"of the {few} before, in {percent(before)}; in one of the first {few}, in {percent(first)} "
        f"({counted(n, 'paragraph')}).{own}"
    )


def _place(tables: Tables, verdicts: pd.Series, settings: Section) -> str:
    """The layer without which least is left, beside the mean of the others, and the first heads."""
    (layer, head), ranking = highlighted_head(dict(tables), settings), tables["head_ranking"]
    left = tables["layer_bypass"].groupby(["group", "layer"], observed=True)["em"].mean()
    recited, other = left["memorized"], left[OTHER]
    most = recited.idxmin()
    ablated = tables["head_ablation"].query("group == 'memorized'")
    kept = ablated.pivot(index="id", columns=["layer", "head"], values="em")
    stopped = (kept < settings.paragraph.continuation).sum()
    others = stopped.drop((layer, head))
    first = ranking[ranking["rank"] == 1].set_index("method")[["layer", "head"]]
    of_methods, n_tied = first[first.index.isin(PAPER_METHODS)], len(first.loc[[COMBINED]])
    n_first = len(of_methods.drop_duplicates())
    # Of a head that is configured, no claim says that it leads.
    verdict = None if settings.highlight else verdicts.get(ONE_HEAD)
    named = "the first on average" if n_tied == 1 else f"one of {n_tied} that are first on average"
    return (
        f"{STANDS_OUT.get(verdict, 'No claim is about one head').format(head, layer)}; layer {most} matters "
        f"most, to {'any' if other.idxmin() == most else 'recited'} text. Without its attention or MLP, "
        f"recited text keeps {recited[most]:.0f} of {counted(settings.paragraph.continuation, 'token')}, "
        f"{TEXTS[OTHER]} {other[most]:.0f}; without another layer's, {recited.drop(most).mean():.0f} and "
        f"{other.drop(most).mean():.0f}. The paper's {counted(of_methods.index.nunique(), 'method')} put "
        f"{'the same head' if n_first == 1 else f'{n_first} different heads'} first"
        f"{f', all in layer {most}' * bool((of_methods['layer'] == most).all())}. Without head {head} of "
        f"layer {layer}, {'that of the settings' if settings.highlight else named}, {stopped[layer, head]} "
        f"of {counted(len(kept), 'recitation')} stop; without another one, {others.mean():.1f} on average "
        f"({others.min()} to {others.max()})."
    )


def _removal(tables: Tables, n_tokens: int) -> str:
    """The best edit, by the share of paragraphs that are gone minus the mean share of tokens that is lost."""
    together = "removal" in tables
    gone, lost = (_removed if together else _unlearned)(tables, n_tokens)
    stopped, left = gone.sum(), (n_tokens * (1 - lost)).map("{:.0f}".format)
    edits = [way for way in gone if way in WAYS]
    best = (gone.mean() - lost.mean(axis=1))[edits].idxmax()
    kept = ", ".join(f"{TEXTS[group]} keeps {n}" for group, n in left.loc[best].items())
    more = ""
    if together and tables["removal"]["relearning_steps"].notna().any():
        again = tables["removal"].query("mode == 'joint' and way == @best and em < @n_tokens")
        more = f" Brief retraining brings {again['relearning_steps'].count()} of them back."
    if BLOCKLIST in gone:
        more += f" A blocklist stops {stopped[BLOCKLIST]} and keeps {' and '.join(left.loc[BLOCKLIST])}."
    done = "Yes" if gone[best].all() else "In part" if gone[best].any() else "No"
    cost = ", at a cost" if lost.loc[best].max() > HARM else ""
    return (
        f"{done}{cost}. Of {counted(len(edits), 'edit')}, “{LABELS[best]}” stops most for its cost: "
        f"{stopped[best]} of {counted(len(gone), 'recitation')}, {'together' if together else 'one by one'}. "
        f"Of {n_tokens} tokens, {kept}.{more}"
    )


def _removed(tables: Tables, n_tokens: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whether each paragraph (row) is gone, by edit and with the blocklist; the share of tokens that is lost,
    a row per way, a column per kind of text."""
    left, damage = (tables[name][tables[name]["mode"] == "joint"] for name in ("removal", "removal_damage"))
    em = damage[damage["group"].isin(TEXTS)].groupby(["way", "group"])["em"].mean().unstack()
    ways = [way for way in (*WAYS, BLOCKLIST) if way in em.index]
    gone = left.pivot(index="id", columns="way", values="em")[ways] < n_tokens
    return gone, 1 - em.loc[ways] / em.loc[NOTHING]


def _unlearned(tables: Tables, n_tokens: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same of edits of one paragraph at a time."""
    edits = tables["edits"]
    edits = edits[(edits["objective"] == "unlearn") & edits["arm"].isin(WAYS)]
    gone = edits.pivot(index="id", columns="arm", values="em_memorized") < n_tokens
    em = edits.groupby("arm", observed=True)[["em_other", "em_other_before"]].mean()
    return gone, (1 - em["em_other"] / em["em_other_before"]).to_frame(OTHER)


def _of(happened: pd.Series, of: str = "") -> str:
    return f"{happened.sum():,} of {len(happened):,}{of} ({percent(happened.mean())})"
