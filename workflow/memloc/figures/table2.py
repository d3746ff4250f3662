"""Table 2: perturbed memorized paragraphs, and the model's continuations of them (paper 4, A.2)."""

import pandas as pd

from memloc.figures.parts.style import Drawing
from memloc.figures.parts.text_table import draw_table, join_tokens, marked, plain, table_page
from memloc.perturbation.still_there import still_there
from memloc.settings.base import Section

N_SHOWN = 6
WIDTHS = (6, 47, 45, 45, 5)
HEADER = (
    "id",
    "prefix with the replaced \u2192 the new token",
    "memorized continuation",
    "perturbed continuation",
    "edits",
)


def draw(tables: dict[str, pd.DataFrame], settings: Section, model: str = "unnamed") -> Drawing:
    """The perturbed paragraphs with the smallest ids; the CSV holds all."""
    n_prefix = settings.paragraph.prefix
    texts = tables["vocabulary"].set_index("token")["text"]
    pairs = tables["perturbed_paragraphs"].merge(
        tables["paragraphs"][["id", "tokens"]], on="id", suffixes=("", "_original"), validate="1:1"
    )
    pairs = pairs.sort_values("id", ignore_index=True)
    pairs = pairs.join(still_there(pairs, [tokens[n_prefix:] for tokens in pairs["tokens_original"]]))
    rows = [_cells(pair, texts, n_prefix) for pair in pairs.head(N_SHOWN).itertuples()]
    page = table_page("Perturbed memorized paragraphs", model, HEADER, rows)
    numbers = {
        "n_shown": min(N_SHOWN, len(pairs)),
        "n_perturbed": len(pairs),
        "n_at_last": int((pairs["position"] == n_prefix - 1).sum()),
        "n_changed_at_once": int((pairs["em"] == 0).sum()),
    }
    return Drawing(draw_table(HEADER, rows, WIDTHS), _data(pairs, texts, n_prefix), numbers, page)


def _cells(pair, texts: pd.Series, n_prefix: int) -> list[str]:
    """Cells of a row: the old and the new token are marked, and so is the impact token."""
    original, position, impact = pair.tokens_original, pair.position, pair.impact_position
    before = plain(join_tokens(original[:position], texts))
    exchanged = f"{marked(texts.loc[original[position]])} \u2192 {marked(texts.loc[pair.token])}"
    after = plain(join_tokens(original[position + 1 : n_prefix], texts))
    memorized = plain(join_tokens(original[n_prefix:], texts))
    kept = plain(join_tokens(pair.tokens[n_prefix:impact], texts))
    changed = marked(texts.loc[pair.tokens[impact]]) + plain(join_tokens(pair.tokens[impact + 1 :], texts))
    return [str(pair.id), before + exchanged + after, memorized, kept + changed, str(pair.edits)]


def _data(pairs: pd.DataFrame, texts: pd.Series, n_prefix: int) -> pd.DataFrame:
    data = pairs[["id", "position", "impact_position", "em", "edits", "nll"]].copy()
    original = pairs["tokens_original"]
    data["prefix"] = [join_tokens(tokens[:n_prefix], texts) for tokens in original]
    places = zip(original, pairs["position"], strict=True)
    data["old_token"] = [texts.loc[tokens[position]] for tokens, position in places]
    data["new_token"] = texts.loc[pairs["token"]].to_numpy()
    data["memorized_continuation"] = [join_tokens(tokens[n_prefix:], texts) for tokens in original]
    data["perturbed_continuation"] = [join_tokens(tokens[n_prefix:], texts) for tokens in pairs["tokens"]]
    return data
