"""Sentences with numbers on pages, each from a finished run of `mini` or another study (see `make docs`)."""

import textwrap

import numpy as np
import pandas as pd

from memloc.data.alike import unlike
from memloc.data.near_copies import longest_runs
from memloc.figures.parts.gradient_summary import lower_share
from memloc.figures.parts.methods import method_label
from memloc.localization.highlight import ORDER
from memloc.tables.finished import Study
from memloc.tables.terms.head_ranking import COMBINED, PAPER_METHODS

LONG_RUN = 25  # tokens
# Figures whose captions stand on pages, and the study that they are of; others draw some of them, too.
CAPTIONED = dict.fromkeys(("twins", "grown_precision", "removal_of_grown"), "grown-truth")
CAPTIONED |= {"counterfactual": "half-models", "capacity": "capacity", "near_copies": "near-copies"}


def told_by(study: Study, width: int) -> dict[str, str]:
    """The lines of pages that a study speaks for, by the name of their place."""
    if (study.folder / "headline.txt").exists():
        return sentences(study, width)
    own = [name for name, of in CAPTIONED.items() if of == study.folder.name]
    captions = (study.folder / f"figures/{name}.rst" for name in own)
    return {path.stem: _filled(path.read_text(), width) for path in captions if path.exists()}


def sentences(study: Study, width: int) -> dict[str, str]:
    """The lines of a page with numbers of `mini`, by the name of their place."""
    columns = ["id", "count", "continuation_count", "near_count", "held_out"]
    frame = study.table("paragraphs", columns).merge(study.table("scores", ["id", "em"]), on="id")
    n_tokens = study.settings["paragraph"]["length"] - study.settings["paragraph"]["prefix"]
    frame["recited"] = frame["em"] == n_tokens
    seen = frame[~frame["held_out"]]
    told = {
        "finding": _finding(seen),
        "continuations": _continued(seen),
        "repeats": _repeats(seen),
        "positions": _positions(study),
        "gradients": _gradients(study),
    }
    told |= {"own_text": _own_text(study), "boundary": _boundary(study)}
    told |= {"pairs": _pairs(study, frame.set_index("id")["near_count"]), "unlike": _unlike(study)}
    told["heads"] = _heads(study.table("head_ranking"))
    headline = (study.folder / "headline.txt").read_text()
    return {"headline": f"```text\n{headline}```\n"} | {
        name: _filled(text, width) for name, text in told.items()
    }


def _filled(text: str, width: int) -> str:
    return textwrap.fill(" ".join(text.split()), width, break_on_hyphens=False) + "\n"


def _continued(seen: pd.DataFrame) -> str:
    recited, continued = seen[seen["recited"]], seen["continuation_count"]
    return (
        "*Why continuations.* In `mini`, "
        f"{seen['recited'][continued == 1].sum()} of {(continued == 1).sum():,} paragraphs are recited whose "
        "continuation stands in the training text once. The continuations of recited paragraphs stand there "
        f"{recited['continuation_count'].median():.0f} times in the median "
        f"({recited['continuation_count'].min()} at least), after other prefixes, too; the whole paragraphs "
        f"{recited['count'].median():.0f} times."
    )


def _finding(seen: pd.DataFrame) -> str:
    recited, continued = seen["recited"], seen["continuation_count"]
    once = seen[recited & (seen["count"] == 1)]
    return (
        f"Of {recited.sum():,} paragraphs that the model recites, {len(once):,} occur exactly once in its "
        f"training text. {(once['near_count'] > 1).sum():,} of these have near-copies, with at most a tenth "
        f"of the tokens edited. The continuation of the median one occurs "
        f"{once['continuation_count'].median():.0f} times, after different prefixes. Of "
        f"{(continued == 1).sum():,} paragraphs whose continuation occurs once, the model recites "
        f"{recited[continued == 1].sum()}; of those whose continuation occurs more than 23 times, "
        f"{100 * recited[continued > 23].mean():.0f} %."
    )


def _repeats(seen: pd.DataFrame) -> str:
    continued = seen["continuation_count"]
    often = (("once", 1, 1), ("8 to 15 times", 8, 15), ("more often than 23 times", 24, np.inf))
    listed = ", ".join(
        f"of those that occur {words} {100 * seen['recited'][continued.between(low, high)].mean():.0f} %"
        for words, low, high in often
    )
    return (
        "Paragraphs whose continuations occur more often are recited more often: "
        f"{listed} ([why these](methods.md#how-often-a-continuation-was-seen)). The figure also shows "
        "unseen paragraphs: a rate on seen text means something only next to the rate on unseen text."
    )


def _positions(study: Study) -> str:
    lengths = study.settings["paragraph"]
    n_tokens = lengths["length"] - lengths["prefix"]
    rows = study.table("positions").query("group == 'memorized' and context == 'text' and draw == 0")
    after = {n: (some["em"] == n_tokens).sum() for n, some in rows.groupby("n_before")}
    listed = ", ".join(f"{count} after {n} token{'s' * (n > 1)}" for n, count in after.items())
    return (
        "A model remembers a text, and not only what follows position 0, if it recites the paragraph "
        "wherever it stands: after end-of-text, after other text, at another position. Of "
        f"{rows['id'].nunique()} sampled paragraphs, this model recites {listed} of other text "
        "([positions](methods.md#positions))."
    )


def _own_text(study: Study) -> str:
    sets = study.table("sets", ["set", "sampled", "continuation"])
    own = np.stack(sets[sets["sampled"] & (sets["set"] == "non_memorized")]["continuation"])
    stream = study.table("training_stream", ["tokens"])["tokens"]
    runs = longest_runs(own, np.concatenate([np.append(tokens, -1) for tokens in stream]))
    return (
        "*Caveat.* The model's own continuations are often other training text by heart. In `mini`, "
        f"{(runs >= LONG_RUN).sum()} of those of {len(runs)} sampled non-memorized paragraphs hold "
        f"{LONG_RUN} tokens in a row of its training text. A comparison with them is one of prefixes and "
        "exposure, not of memory and free text."
    )


def _pairs(study: Study, near: pd.Series) -> str:
    paired = study.table("sets", ["id", "set", "pair"]).dropna()
    numbers = near.loc[paired["id"]].to_numpy(float)
    sides = pd.DataFrame({"pair": paired["pair"], "recited": paired["set"] == "memorized", "near": numbers})
    both = sides.pivot(index="pair", columns="recited", values="near")
    more, fewer = (both[True] > both[False]).sum(), (both[True] < both[False]).sum()
    return (
        "*Caveats.* Sizes of gradients follow the NLL, which the pairs do not match; so no claim compares "
        f"sizes there. Near-counts of a pair may differ by a factor of 1.5: of {len(both)} pairs of `mini`, "
        f"the memorized one has more in {more} and fewer in {fewer}, "
        f"{np.exp(np.log(both[True] / both[False]).mean()):.2f} times as many on average (geometric)."
    )


def _unlike(study: Study) -> str:
    sets = study.table("sets", ["id", "set"])
    tokens = study.table("paragraphs", ["id", "tokens"]).set_index("id")["tokens"]
    memorized = tokens.loc[sets["id"][sets["set"] == "memorized"]]
    return (
        "*Units.* Copies of one text are no evidence anew. So the paragraphs that a claim counts are "
        f"[unlike](#sets), and those of each side of pairs are. In the {len(memorized)} memorized paragraphs "
        f"of `mini`, {unlike(np.stack(memorized)).sum()} such texts are found. Values are shares and medians "
        "of unlike texts, and differ from those of all paragraphs in figures. Samples and medians keep those "
        "like fewest others, which are the least typical."
    )


def _boundary(study: Study) -> str:
    whole = study.table("detection").query("n_seen == n_seen.max()").set_index("features")
    rows, unseen = (whole[whole["stratum"] == stratum] for stratum in ("boundary", "unseen"))
    residual, nll, both = rows["auroc"][["residual", "nll", "nll_and_residual"]]
    return (
        f"*Caveat.* In the boundary zone of `mini` ({rows[['n_positive', 'n_negative']].iloc[0].sum():,} "
        f"paragraphs), the residual stream after the whole prefix reaches an AUROC of {residual:.2f}, the "
        f"NLL alone {nll:.2f}, and both {both:.2f}. To tell seen from unseen paragraphs, both reach "
        f"{unseen['auroc']['nll_and_residual']:.2f}, and a bag of words that knows nothing of the model "
        f"{unseen['auroc']['bag_of_words']:.2f}: such a detector may know the kind of text, not the memory."
    )


def _gradients(study: Study) -> str:
    rows = study.table("parameter_gradients")
    ours, others = (
        100 * lower_share(rows[rows["group"] == group], "max_abs") for group in ("memorized", "non_memorized")
    )
    return (
        "Gradients of the NLL say which weights a paragraph depends on. In the paper, 61 % of the gradient "
        "of memorized paragraphs lies in the lower half of the layers, and 55 % of that of others. Here "
        f"it is {ours:.0f} and {others:.0f} % of the largest gradients of the cells (Figure 9 adds up all "
        "weights). These are gradients of whole sets; the claim judges those of single paragraphs."
    )


def _heads(ranking: pd.DataFrame) -> str:
    combined = ranking[ranking["method"] == COMBINED]
    first = combined.sort_values(ORDER).iloc[0]
    rows = ranking[(ranking["layer"] == first["layer"]) & (ranking["head"] == first["head"])]
    rank = rows.set_index("method")["rank"]
    *listed, last = (f"{rank[method]} by {method_label(method)}" for method in PAPER_METHODS)
    return (
        "Patching exchanges a head's queries, keys or values between a paragraph and its version with one "
        "token replaced. Do the methods agree? The lowest mean rank has head "
        f"{first['head']} of layer {first['layer']}. Of {len(combined)} heads it is number "
        f"{', '.join(listed)}, and {last}. It comes first in "
        f"{100 * first['first_share']:.0f} % of the resamples. An arrow marks two methods that agree more, "
        "or less, than their liking for the same layers explains."
    )
