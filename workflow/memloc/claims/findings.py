"""What a study found, in plain lines, with which a run ends, and report, figures and explorer open.

Counts are of the tables, verdicts those of table `claims`: nothing is estimated here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    "training_stream": ("file", "tokens"),
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
    HOLDS: "One head leads, whichever paragraphs are drawn",
    FAILS: "No head stands out",
    NO_DIFFERENCE: "No head stands out",
    TOO_FEW: "Too few paragraphs to tell heads apart",
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
    """The layer without which least is left, with another text's mean in its place, and the first heads."""
    (layer, head), ranking = highlighted_head(dict(tables), settings), tables["head_ranking"]
    left = tables["layer_bypass"].groupby(["group", "layer"], observed=True)["em"].mean()
    recited, other = left["memorized"], left["non_memorized"]
    most = recited.idxmin()
    without = tables["head_ablation"].query("group == 'memorized'")
    stops = without["em"] < settings.paragraph.continuation
    stopped, n_recited = stops.groupby([without["layer"], without["head"]]).sum(), without["id"].nunique()
    others = stopped.drop((layer, head))
    first = ranking[ranking["method"].isin(PAPER_METHODS)].sort_values(ORDER).groupby("method").first()
    n_first = len(first[["layer", "head"]].drop_duplicates())
    # Of a head that is configured, no claim says that it stands out.
    verdict, named = verdicts.get(ONE_HEAD), "first on average"
    if settings.highlight:
        verdict, named = None, "that of the settings"
    return (
        f"{STANDS_OUT.get(verdict, 'No claim is about one head')}; layer {most} matters most, to "
        f"{'any' if other.idxmin() == most else 'recited'} text. Without its attention or MLP, "
        f"{recited[most]:.0f} of {counted(settings.paragraph.continuation, 'recited token')} stay, without "
        f"those of another layer {recited.drop(most).mean():.0f}; of {TEXTS['non_memorized']}, "
        f"{other[most]:.0f} and {other.drop(most).mean():.0f}. {len(first)} methods put "
        f"{'the same head' if n_first == 1 else f'{n_first} different heads'} first"
        f"{f', all in layer {most}' * bool((first['layer'] == most).all())}; without the head of "
        f"interest ({head} of layer {layer}: {named}), {stopped[layer, head]} of "
        f"{counted(n_recited, 'recitation')} stop, without another head {others.mean():.1f} on average and "
        f"{others.max()} at most."
    )


def _removal(tables: Tables, n_tokens: int) -> str:
    """The best way, by the share of paragraphs that are gone minus the mean share of tokens that is lost."""
    together = "removal" in tables
    gone, lost = (_removed if together else _unlearned)(tables, n_tokens)
    best = (gone.mean() - lost.mean(axis=1)).idxmax()
    kept = [f"{n_tokens * (1 - share):.0f} in {TEXTS[group]}" for group, share in lost.loc[best].items()]
    back = ""
    if together and tables["removal"]["relearning_steps"].notna().any():
        again = tables["removal"].query("mode == 'joint' and way == @best and em < @n_tokens")
        n_again = again["relearning_steps"].count()
        back = f" A few steps of training on the removed paragraphs bring {n_again} back."
    return (
        f"{'Yes' if gone[best].all() else 'Not all of it'}: {gone[best].sum()} of "
        f"{counted(len(gone), 'recitation')} stop, and other text "
        f"{'changes, too' if lost.loc[best].max() > HARM else 'stays'}. Of {n_tokens} tokens, the best of "
        f"{counted(len(lost), 'edit')} ({LABELS[best]}, "
        f"{'all paragraphs at once' if together else 'a paragraph at a time'}) leaves "
        f"{' and '.join(kept)}.{back}"
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
