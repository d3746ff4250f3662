"""Split scored paragraphs into sets and draw the samples that the analyses use (paper 3.2).

Exposure is how often a model saw a continuation in training. Pairs of equal exposure show how memorized
paragraphs differ from others whatever the exposure.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Int

from memloc.data.alike import unlike
from memloc.run.errors import InputError
from memloc.run.seeds import generator
from memloc.settings.sets import Sets
from memloc.tables.terms.sets import HELD_OUT, PARTLY, UNSEEN, bins

Values = TypeVar("Values", pd.Series, pd.DataFrame)
TokensOf = Callable[[np.ndarray], Int[np.ndarray, "paragraph token"]]  # of the paragraphs of ids or rows

NO_PAIRS = "no pairs of equal exposure"  # the reason why a comparison of them does not apply
CANDIDATES = 20  # times as many as are sampled, of which the unlike ones come first
SIMILAR = 1.5  # factor by which near-copies of a pair may differ in number
FEWEST_OF_A_KIND = 6  # memorized paragraphs of the kinds that a study asks for; fewer decide nothing
MOST_RARE_TOKENS = 0.8  # share of the paragraphs; the others stay for texts that no analysis has sampled


def assign_sets(em: pd.Series, n_continuation: int) -> pd.Series:
    """Set of each paragraph by its exact match; see `bins`."""
    name_of = {value: name for name, values in bins(n_continuation).items() for value in values}
    return em.map(name_of).astype("str")


def sample_ids(ids: pd.Series, n: int, rng: np.random.Generator) -> pd.Index:
    """At most `n` of the ids, drawn without replacement."""
    return pd.Index(rng.choice(ids.to_numpy(), size=min(n, len(ids)), replace=False))


def sample_unlike(ids: pd.Series, n: int, rng: np.random.Generator, tokens_of: TokensOf) -> np.ndarray:
    """As `sample_ids`, but copies of one text are drawn only where there are too few other texts."""
    drawn = sample_ids(ids, CANDIDATES * n, rng).to_numpy()
    return _first(drawn, unlike(tokens_of(drawn)))[:n]


def _first(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The same values, the chosen ones first."""
    return np.concatenate([values[chosen], values[~chosen]])


def require_memorized(ids: list[int], key: str, sets: pd.DataFrame) -> None:
    """Check that the ids in setting `key` are those of memorized paragraphs. InputError: some are not."""
    if unknown := sorted(set(ids) - set(sets.loc[sets["set"] == "memorized", "id"])):
        raise InputError(f"{key}: not memorized paragraphs of this study: {unknown}")


def trained_on(sets: pd.DataFrame) -> pd.DataFrame:
    """The rows of `sets` that the model is trained on: no unseen ones, and none held out."""
    return sets[~sets["set"].isin([UNSEEN, HELD_OUT])]


def attention_samples(sets: pd.DataFrame) -> pd.DataFrame:
    """Rows of the sampled memorized and non-memorized paragraphs and of the rare-token sample (paper 6.3)."""
    sampled = sets["sampled"] & sets["set"].isin(["memorized", "non_memorized"])
    return sets[sampled | sets["sampled_rare_tokens"]]


def apart(ids: pd.Series, name: str, n: int, seed: int, tokens_of: TokensOf) -> pd.DataFrame:
    """Rows of table `sets` for paragraphs that make a set of their own; `n` of them are sampled."""
    frame = pd.DataFrame({"id": ids, "set": name})
    drawn = sample_unlike(frame["id"], n, generator(seed, "sets", name), tokens_of)
    frame["sampled"] = frame["id"].isin(drawn)
    return frame.assign(sampled_rare_tokens=False, pair=pd.array([pd.NA] * len(frame), "Int64"))


def pairs(
    exposure: pd.Series,
    memorized: pd.Series,
    n: int,
    rng: np.random.Generator,
    near: pd.Series | None = None,
    tokens_of: TokensOf | None = None,
) -> pd.Series:
    """Pairs of a memorized and another paragraph that occur equally often, drawn without replacement.

    As many pairs are made as can be, and at most `n` of them are kept, first those without copies of what
    other pairs hold on the same side. How often the model saw them cannot explain how the paragraphs of a
    pair differ. Rows where `memorized` is missing are in no pair.

    Args:
        near: occurrences of near-copies, which then differ by a factor of `SIMILAR` at most within a pair.
        tokens_of: tokens of the paragraphs of rows; without, texts may be copies.

    Returns:
        Number of each paragraph's pair, from 0; missing in rows that no pair holds.
    """
    near = exposure if near is None else near
    shuffled = pd.DataFrame({"exposure": exposure, "memorized": memorized, "near": near}).dropna()
    shuffled = shuffled.iloc[rng.permutation(len(shuffled))].sort_values("near", kind="stable")
    found = []
    for _, group in shuffled.groupby("exposure"):
        recited, others = (group["near"][group["memorized"] == value] for value in (True, False))
        found += _matched(recited, others)
    drawn = np.array(found, dtype=int).reshape(-1, 2)[rng.permutation(len(found))[: CANDIDATES * n]]
    kept = unlike(*map(tokens_of, drawn.T)) if tokens_of else np.ones(len(drawn), dtype=bool)
    numbers = pd.Series(pd.NA, index=exposure.index, dtype="Int64", name="pair")
    for number, members in enumerate(_first(drawn, kept)[:n]):
        numbers.loc[list(members)] = number
    return numbers


def _matched(some: pd.Series, others: pd.Series) -> list[tuple[int, int]]:
    """As many pairs of labels as can be, whose values differ by `SIMILAR` at most; both are in order."""
    found, row, others = [], 0, [*others.items()]
    for label, value in some.items():
        while row < len(others) and others[row][1] * SIMILAR < value:
            row += 1
        if row < len(others) and others[row][1] <= value * SIMILAR:
            found.append((label, others[row][0]))
            row += 1
    return found


def of_other_kinds(memorized: pd.Series, kinds: pd.DataFrame, asked: Sequence[str]) -> pd.Series:
    """Ids of memorized paragraphs of no asked kind, by table `kinds`. InputError: too few are of one."""
    own = memorized.isin(kinds.loc[kinds["kind"].isin(asked), "id"])
    if (n := int(own.sum())) < FEWEST_OF_A_KIND:
        some = f"{n} memorized paragraphs are of kind {' or '.join(asked)}"
        raise InputError(f"sets.kinds: {some}, fewer than {FEWEST_OF_A_KIND}: name more kinds, or none")
    return memorized[~own]


def split(
    scores: pd.DataFrame,
    n_continuation: int,
    asked: Sets,
    seed: int,
    tokens_of: TokensOf,
    left_out: Sequence[int] = (),
) -> pd.DataFrame:
    """Sets and samples of scored paragraphs, none of them held out; those `left_out` are in no sample.

    Returns:
        One row per paragraph: id, set, sampled (drawn for the analyses of its set) and sampled_rare_tokens
        (drawn from both sets together for the rare-token analysis, at most four fifths of them). A set that
        is smaller than its sample is taken whole, and may be empty.
    """
    frame = pd.DataFrame({"id": scores["id"], "set": assign_sets(scores["em"], n_continuation)})
    sizes = {"memorized": asked.n_memorized, "non_memorized": asked.n_non_memorized}
    sizes |= dict.fromkeys(PARTLY, asked.n_partly)
    free = ~frame.id.isin(left_out)
    drawn = [
        sample_unlike(frame.id[free & (frame.set == name)], n, generator(seed, "sets", name), tokens_of)
        for name, n in sizes.items()
    ]
    frame["sampled"] = frame.id.isin(np.concatenate(drawn))
    pool = frame.id[free & frame.set.isin(["memorized", "non_memorized"])]
    n_rare_tokens = min(asked.n_rare_tokens, int(MOST_RARE_TOKENS * len(pool)))
    rare_tokens = sample_ids(pool, n_rare_tokens, generator(seed, "sets", "rare_tokens"))
    frame["sampled_rare_tokens"] = frame.id.isin(rare_tokens)
    return frame


def exposure(paragraphs: pd.DataFrame) -> pd.Series:
    """Occurrences of each continuation, or of each whole paragraph where continuations are not counted."""
    return paragraphs["continuation_count"].fillna(paragraphs["count"]).astype("int64")


def paired_differences(values: Values, sets: pd.DataFrame) -> Values:
    """Memorized minus the other paragraph of each pair of equal exposure, by pair.

    `values` has a value per paragraph, by id. A pair is left out if one of its paragraphs has no value.
    """
    paired = sets[sets["pair"].notna() & sets["id"].isin(values.index)]
    memorized, others = (
        values.loc[rows["id"]].set_axis(rows["pair"].astype(int).rename("pair"))
        for rows in (paired[paired["set"] == "memorized"], paired[paired["set"] != "memorized"])
    )
    both = memorized.index.intersection(others.index).sort_values()
    return memorized.loc[both] - others.loc[both]
