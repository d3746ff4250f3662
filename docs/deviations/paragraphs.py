"""Deviations in which paragraphs there are, and in what a replaced token does to them (A.1, section 4)."""

import numpy as np
import pandas as pd
import torch

from deviations.run import Run
from memloc.data.filters import drop_reasons
from memloc.data.paragraphs import token_tensor
from memloc.model.pretrained import load_tokenizer
from memloc.perturbation.effects import em_drops
from memloc.perturbation.replaced_tokens import generated_nll
from memloc.perturbation.strongest import strongest
from memloc.scoring.token_statistics import token_statistics

FILTERS = ("dropped_paragraphs", "dropped_reference")  # by the text, and by the authors' code
REPLACED = ("memorized", "non_memorized")


def unique_tokens(run: Run) -> str:
    """Paragraphs that both filters drop for too few unique tokens."""
    default, code = (run.table(name)["reason"].str.contains("unique").sum() for name in FILTERS)
    return f"drops {default:,}, then {code:,} of {len(run.paragraphs):,} paragraphs"


def keywords(run: Run) -> str:
    """Paragraphs that are left if all of a keyword's tokens count in place of its text."""
    frame, tokenizer = run.paragraphs, load_tokenizer(run.folder)
    least = np.nextafter(run.settings.filters.min_unique, 0)  # that share of unique tokens itself is kept
    reasons = drop_reasons(
        token_tensor(frame["tokens"]).numpy(),
        ((frame["count"] == 0) & ~frame["unseen"]).to_numpy(),
        frame["text"],
        run.settings.filters.model_copy(update={"reference": True, "min_unique": least}),
        encode=lambda text: tokenizer.encode(text, add_special_tokens=False),
    )
    left = len(frame) - len(run.table("dropped_paragraphs"))
    return f"{left:,}, then {reasons.isna().sum():,} paragraphs left"


def both_filters(run: Run) -> str:
    """Paragraphs that each filter keeps, and those that both keep."""
    text, code = (set(run.table(name)["id"]) for name in FILTERS)
    left = [len(run.paragraphs) - len(dropped) for dropped in (text, code, text | code)]
    return f"{left[0]:,}, then {left[1]:,} left; {left[2]:,} in common"


def nll_of_all_tokens(run: Run) -> str:
    """How far the mean NLL over the whole paragraph is from that over the continuation."""
    ids = run.ids("memorized")
    whole = token_statistics(run.inference, run.tokens(ids), 1, run.batch).nll.mean(dim=1).numpy()
    difference = np.abs(whole - run.table("scores").set_index("id")["nll"].loc[ids].to_numpy())
    found = f"differs by {np.median(difference):.3f} in the median, {difference.max():.3f} at most"
    return f"{found} ({len(ids)} memorized paragraphs)"


def perturbed_positions(run: Run) -> str:
    """Cost of a replaced token, and the strongest one, with and without position 0."""
    every = run.table("perturbation")
    both = [every, every[every["position"] != 0]]
    drops = [em_drops(rows).groupby("set", observed=True)["em_drop"].mean() for rows in both]
    means = [f"{_words(name)} {drops[0][name]:.2f}, then {drops[1][name]:.2f}" for name in REPLACED]
    memorized = [strongest(rows[rows["set"] == "memorized"]).set_index("id")["position"] for rows in both]
    changed = (memorized[0] != memorized[1].loc[memorized[0].index]).sum()
    pairs = f"strongest perturbation of {changed} of {len(memorized[0])} pairs changes"
    return f"mean EM drop of {'; '.join(means)}; {pairs}"


def nll_of_generated(run: Run) -> str:
    """NLL under perturbed prefixes: of the unperturbed continuation, and of what the model goes on with."""
    rows, means = run.table("perturbation"), []
    for name in REPLACED:
        ids, tokens = run.sample(name)
        some = rows[(rows["set"] == name) & (rows["position"] >= 0)]
        versions = tokens[torch.tensor(pd.Index(ids).get_indexer(some["id"]))]
        columns = ("position", "token", "em")
        position, token, em = (torch.tensor(some[column].to_numpy()) for column in columns)
        versions[torch.arange(len(some)), position] = token
        generated = generated_nll(run.inference, versions, em, run.n_prefix, run.batch).mean()
        means.append(f"{_words(name)} {some['nll_original'].mean():.2f}, then {generated:.2f}")
    return f"mean NLL of {'; '.join(means)}"


def _words(name: str) -> str:
    return name.replace("_", "-")
