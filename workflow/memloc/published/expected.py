"""Compare a run with published numbers, and with a published list of memorized paragraphs (paper A.1)."""

from pathlib import Path
from typing import Any

import pandas as pd

from memloc.data.sets import assign_sets
from memloc.run.errors import InputError
from memloc.settings.base import Section
from memloc.tables.terms.sets import bins

LOCALIZED = ("head_ranking", "rare_token_correlation", "impact_gradients")  # tables of `localized_numbers`
RANKED_BY = ("combined", "parameter_gradient", "patching")
LIST_COLUMNS = ("paragraph", "id", "count", "nll")


def read_memorized_list(path: Path | str) -> pd.DataFrame:
    """Published memorized paragraphs: `paragraph` (text, unique), `id`, `count`, `nll` (nats per token).

    The published id is a row of the authors' filtered array, not of the release: it does not join.

    Raises:
        InputError: a column is missing, holds no numbers, or a text occurs twice; names file and finding.
    """
    # Paragraphs such as "NA" or "null" are text, not missing values.
    frame = pd.read_csv(path, keep_default_na=False)
    missing = [column for column in LIST_COLUMNS if column not in frame]
    if missing:
        raise InputError(
            f"{path}: expected columns {', '.join(LIST_COLUMNS)}, got {', '.join(frame)}: no {missing[0]}"
        )
    for column in LIST_COLUMNS[1:]:
        bad = pd.to_numeric(frame[column], errors="coerce").isna()
        if bad.any():
            raise InputError(
                f"{path}: expected numbers in column {column}, got {frame[column][bad].iloc[0]!r} "
                f"in row {bad.idxmax()}"
            )
    repeated = frame["paragraph"].duplicated()
    if repeated.any():
        raise InputError(
            f"{path}: expected every paragraph once, got row {repeated.idxmax()} again: "
            f"{frame['paragraph'][repeated.idxmax()][:60]!r}"
        )
    return frame[list(LIST_COLUMNS)]


def memorized_agreement(
    published: pd.DataFrame, paragraphs: pd.DataFrame, scores: pd.DataFrame, n_continuation: int
) -> pd.DataFrame:
    """Join the published list and this run's memorized paragraphs by text: a row for each in either.

    `scores` holds the paragraphs that the filter keeps. Columns: text; published and memorized, which say in
    which of the two it is; id, count, em and nll of this run (null if no kept paragraph has the text);
    published_id, published_count and published_nll. Of several paragraphs with one text, a memorized one
    counts, then the one with the smallest id.
    """
    ours = scores[["id", "em", "nll"]].merge(paragraphs[["id", "count", "text"]], on="id")
    ours["memorized"] = ours["em"] == n_continuation
    ours = ours.sort_values(["memorized", "id"], ascending=[False, True]).drop_duplicates("text")
    theirs = published.add_prefix("published_").rename(columns={"published_paragraph": "text"})
    joined = ours.merge(theirs, on="text", how="outer", indicator="origin", validate="one_to_one")
    joined["published"] = joined["origin"] != "left_only"
    joined["memorized"] = joined["memorized"].eq(True)
    joined = joined[joined["published"] | joined["memorized"]]
    return joined.drop(columns="origin").sort_values(["id", "published_id"]).reset_index(drop=True)


def agreement_numbers(agreement: pd.DataFrame) -> dict[str, float | None]:
    """Agreement of the run with the published list: sizes of the overlap, equal counts, NLL differences.

    Counts and NLLs are compared for paragraphs that both have, memorized here or not; null without any. The
    published NLLs may be means over the continuation (`nll`) or over the whole paragraph (`nll_paragraph`),
    so differences from both are given.
    """
    both = agreement[agreement["published"] & agreement["memorized"]]
    found = agreement[agreement["published"] & agreement["id"].notna()]
    numbers = {
        "n_published": int(agreement["published"].sum()),
        "n_both": len(both),
        "n_only_here": int((~agreement["published"]).sum()),
        "n_only_published": int((~agreement["memorized"]).sum()),
        "n_found": len(found),
        "n_equal_counts": int((found["count"] == found["published_count"]).sum()),
    }
    for mean in ("nll", "nll_paragraph"):
        difference = (found[mean] - found["published_nll"]).abs()
        numbers[f"{mean}_difference_max"] = float(difference.max()) if len(found) else None
        numbers[f"{mean}_difference_median"] = float(difference.median()) if len(found) else None
    return numbers


def run_numbers(paragraphs: pd.DataFrame, scores: pd.DataFrame, n_continuation: int) -> dict[str, int]:
    """The run's counterparts of the published numbers (paper 3.1, 3.2); `scores` are of kept paragraphs."""
    sizes = assign_sets(scores["em"], n_continuation).value_counts()
    counts = paragraphs["count"][paragraphs["id"].isin(scores["id"])]
    numbers = {f"n_{name}": int(sizes.get(name, 0)) for name in bins(n_continuation)}
    return {"n_paragraphs": len(scores), **numbers, "max_count": int(counts.max()) if len(counts) else 0}


def needed(expected: Section) -> bool:
    """Whether a number from an analysis is expected, so that tables of analyses are read."""
    return any(getattr(expected, name) is not None for name in ("head", "key_query_layer", "n_unique_tokens"))


def localized_numbers(
    expected: Section, tables: dict[str, pd.DataFrame]
) -> tuple[dict[str, float], dict[str, float]]:
    """Expected and found numbers from analyses, by quantity.

    They are the ranks of the head and of the layer (1 is the first), the number of different tokens, and the
    correlation of the head's attention with rarity, of which two digits are published.
    """
    wanted, found = {}, {}
    rare = tables["rare_token_correlation"].set_index(["layer", "head"])
    if expected.n_unique_tokens is not None:
        wanted["n_unique_tokens"] = expected.n_unique_tokens
        found["n_unique_tokens"] = int(rare["n_unique_tokens"].iloc[0])
    if expected.key_query_layer is not None:
        rows = tables["impact_gradients"].query("group == 'perturbed'")
        by_layer = rows.groupby("layer")["max_abs"].sum().rank(ascending=False, method="min")
        wanted["rank_key_query_layer"] = 1
        found["rank_key_query_layer"] = by_layer.get(expected.key_query_layer)
    if expected.head is not None:
        head = (expected.head.layer, expected.head.head)
        ranks = tables["head_ranking"].astype({"method": str}).set_index(["method", "layer", "head"])["rank"]
        wanted |= {f"rank_{method}": 1 for method in RANKED_BY}
        found |= {f"rank_{method}": ranks.get((method, *head)) for method in RANKED_BY}
        wanted["rare_token_correlation"] = expected.rare_token_correlation
        found["rare_token_correlation"] = round(float(rare["pearson"].get(head, float("nan"))), 2)
    return wanted, found


def of_reference(numbers: dict[str, Any]) -> dict[str, Any]:
    """The numbers under names that say that the authors' filter code chose the paragraphs."""
    return {f"{name}_reference": value for name, value in numbers.items()}


def compare(
    expected: dict[str, float | None], found: dict[str, float | None], agreement: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row per quantity: expected, found, and whether they agree (null where nothing is expected).

    With the `agreement` of a published list, its paragraphs and no others are expected to be memorized here,
    with its counts. Differences of the NLL are only reported.
    """
    if agreement is not None:
        numbers = agreement_numbers(agreement)
        n_published = numbers.pop("n_published")
        found = found | numbers
        expected = expected | {
            "n_both": n_published,
            "n_only_here": 0,
            "n_only_published": 0,
            "n_found": n_published,
            "n_equal_counts": n_published,
        }
    frame = pd.DataFrame({"quantity": list(found), "found": list(found.values())})
    frame["expected"] = pd.Series([expected.get(name) for name in found], dtype="float64")
    frame["agrees"] = (frame["expected"] == frame["found"]).astype("boolean").mask(frame["expected"].isna())
    return frame[["quantity", "expected", "found", "agrees"]]
