"""Tables beside the paragraphs: claims, heads, memories, removal, study. A further tab is a line of `TABS`.

A tab is a list of blocks, which are tables or plain text. The kind of a column says how its cells are shown.
The page draws all tabs alike. A block that is `folded` shows its title alone; a table opens with the rows
whose filter is `only`, if it says so.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from memloc.explorer.json_values import json_value
from memloc.figures.parts.grown import ASKED_LABELS, KIND_LABELS, means, of_own_units
from memloc.figures.parts.methods import method_label, methods_of
from memloc.figures.parts.removal import MODES, judged_ways
from memloc.settings.removal_ways import LABELS
from memloc.tables.terms.claims import NO_VALUE, PER_CENT, VERDICTS, counted

Tables = Mapping[str, pd.DataFrame]


def column(key: str, name: str, kind: str = "text", **options: Any) -> dict[str, Any]:
    """A column: key of the rows, name and kind (text, interval, rank, head, verdict or figures).

    Options: `note`, the key of the text below a value, and `range`, the ends of an interval's axis.
    """
    return {"key": key, "label": name, "kind": kind, **options}


def interval(row: Any, bound: float | None = None) -> dict[str, Any]:
    """Cell of a value with its interval and the bound that decides."""
    numbers = {name: getattr(row, name) for name in ("value", "low", "high")} | {"bound": bound}
    return {name: json_value(number) for name, number in numbers.items()}


def claims(tables: Tables) -> dict[str, Any]:
    """Every claim with its value, interval and verdict; claims without a value come last."""
    frame = tables["claims"].sort_values("verdict", key=lambda names: names.isin(NO_VALUE), kind="stable")
    frame.loc[frame["scale"] == PER_CENT, ["value", "low", "high", "bound"]] *= 100
    verdicts = frame["verdict"].value_counts()
    rows = [
        {
            "statement": row.statement,
            "source": f"{'arXiv ' * row.work[0].isdigit()}{row.work}, {row.section}"
            f" · {row.topic.replace('_', ' ')}",
            "value": interval(row, row.bound),
            "quantity": f"{row.scale} {row.quantity}" + f"; {counted(row.n, row.unit)}" * (row.n > 0),
            "verdict": row.verdict,
            "reason": row.reason,
            # A study without the stage of a claim has no figure of it either.
            "figures": [] if row.verdict in NO_VALUE else row.figures.split(),
        }
        for row in frame.itertuples()
    ]
    columns = [
        column("statement", "Claim", note="source"),
        column("value", "Value (95 %)", "interval", note="quantity"),
        column("verdict", "Verdict", "verdict", note="reason"),
        column("figures", "Figures", "figures"),
    ]
    counts = "; ".join(f"{name}: {verdicts[name]}" for name in VERDICTS if name in verdicts)
    mark = "The mark across a line is the bound that decides, or the middle of two."
    lead = f"{len(frame)} claims. {counts}. {mark}"
    return {"lead": lead, "blocks": [_table("Claims", columns, rows, filter="verdict")]}


def head_ranking(tables: Tables) -> dict[str, Any]:
    """Rank of every head by every method, with the interval over resampled paragraphs."""
    frame = tables["head_ranking"]
    methods = methods_of(frame)[::-1]
    rows = []
    for (layer, head), own in frame.groupby(["layer", "head"]):
        found = own.set_index("method")
        cells = {name: interval(found.loc[name].rename({"rank": "value"})) for name in methods}
        rows.append({"head": f"layer {layer}, head {head}", "layer": layer, "number": head, **cells})
    rows.sort(key=lambda row: row[methods[0]]["value"])
    columns = [column("head", "Head", "head")]
    columns += [column(name, method_label(name).capitalize(), "rank") for name in methods]
    lead = "Rank of each head, and the ranks that it has in 95 % of resampled paragraphs. 1 is first."
    return {"lead": lead, "blocks": [_table("Ranks of heads", columns, rows)]}


def grown_truth(tables: Tables) -> dict[str, Any]:
    """Recall of each method for memories in known weights: a line per kind of place, one scale for all."""
    own = of_own_units(tables["grown_truth"])
    recall, precision = means(own, "recall"), means(own, "average_precision")
    found = recall.merge(precision, on=["kind", "asked_model", "method"], suffixes=("", "_precision"))
    kinds = [kind for kind in KIND_LABELS if kind in set(found["kind"])]
    rows = []
    for model in (model for model in ASKED_LABELS if model in set(found["asked_model"])):
        asked = found[found["asked_model"] == model]
        best = asked.groupby("method")["value"].mean().sort_values(ascending=False, kind="stable").index
        for method in best:
            cells = asked[asked["method"] == method].set_index("kind").reindex(kinds)
            row = {"method": method_label(method), "asked_model": ASKED_LABELS[model]}
            for kind, cell in cells.iterrows():
                row |= {kind: interval(cell), f"{kind}_precision": _precision(cell)}
            rows.append(row)
    columns = [column("method", "Method", note="asked_model")]
    style = {"kind": "interval", "range": [0, 1]}
    columns += [column(kind, KIND_LABELS[kind], note=f"{kind}_precision", **style) for kind in kinds]
    lead = (
        "A paragraph grows in known weights while the model is trained. Then every method is asked where it "
        "is, in the model itself or in a twin. For a place of k units, recall is the share of these units "
        "among the method's first k. Values are means over paragraphs, on lines from 0 to 1."
    )
    block = _table("Recall of grown memories", columns, rows, filter="asked_model")
    return {"lead": lead, "blocks": [block | {"only": rows[0]["asked_model"]}]}


def _precision(cell: pd.Series) -> str:
    """What stands below a recall; nothing where the method was not asked."""
    if pd.isna(cell["value"]):
        return ""
    return f"n = {cell['n']:.0f}, average precision {cell['value_precision']:.2f}"


def removal(tables: Tables) -> dict[str, Any]:
    """Every way to remove recitation, by the judges of figure `removal` and those beyond exact match."""
    data, settings = judged_ways(tables), tables["removal"].groupby(["way", "mode"])["setting"].first()
    rows = []
    for (way, mode), own in data.groupby(["way", "mode"], sort=False):
        measures = own.set_index("measure")
        cells = {name: interval(measures.loc[name]) for name in REMOVAL_COLUMNS}
        about = {"way": LABELS[way], "setting": settings[way, mode], "mode": MODES[mode]}
        rows.append({**about, "n": f"n = {measures.loc['forgotten', 'n']}", **cells})
    columns = [column("way", "Way", note="setting"), column("mode", "Removed", note="n")]
    ends = data.groupby("measure")[["value", "low", "high"]].agg(["min", "max"])
    for key, heading in REMOVAL_COLUMNS.items():
        own = [0.0, ends.loc[key].min(), ends.loc[key].max()]  # so that all lines of a column have one scale
        columns.append(column(key, heading, "interval", range=[min(own), max(own)]))
    lead = (
        "Ways to make the model stop reciting chosen paragraphs, on the same texts with the same judges. "
        "Blocklist, ablated heads and directions leave the weights as they are. Tokens and nats are compared "
        "with the model as it is. Edits turn the generated text into the paragraph. A perturbed prefix has "
        "one token replaced."
    )
    return {"lead": lead, "blocks": [_table("Ways to remove recitation", columns, rows, filter="mode")]}


REMOVAL_COLUMNS = {  # measure of `judged_ways`: heading
    "forgotten": "Forgotten, tokens",
    "em_own_lost": "Own continuations lose, tokens",
    "nll_gained": "Held-out NLL gains, nats per token",
    "edit_distance": "Edits, share",
    "recited_perturbed": "Recited if perturbed, share",
}
TABS = {
    "claims": ("Claims", claims),
    "head_ranking": ("Head ranking", head_ranking),
    "grown_truth": ("Grown memories", grown_truth),
    "removal": ("Removal", removal),
}


def tabs(tables: Tables) -> dict[str, dict[str, Any]]:
    """Tabs whose table is on the page, in the order of the page."""
    shown = {key: found for key, found in TABS.items() if len(tables.get(key, ()))}
    return {key: {"title": title, **make(tables)} for key, (title, make) in shown.items()}


def study(config: str, provenance: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Settings, and the origin of each table."""
    first = next(iter(provenance.values()))
    model = next((found["model"] for found in provenance.values() if found["model"]), {})
    facts = {"study": first["study"], "seed": first["seed"]}
    facts |= {
        f"model: {name.removeprefix('n_')}": value for name, value in model.items() if value is not None
    }
    rows = [
        {"table": name, "rule": found["rule"], "settings": found["config_hash"], "code": found["code"]}
        for name, found in provenance.items()
    ]
    origin = [column("table", "Table"), column("rule", "Rule")]
    origin += [column("settings", "Hash of settings"), column("code", "Hash of code")]
    folded = [
        _facts("Versions", first["versions"]),
        _table("Tables on this page", origin, rows),
        {"kind": "text", "title": "Settings", "text": config},
    ]
    blocks = [_facts("The study", facts), *(block | {"folded": True} for block in folded)]
    return {"title": "Study", "lead": "Settings and provenance.", "blocks": blocks}


def _facts(title: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{"name": name, "value": f"{value}"} for name, value in facts.items()]
    return _table(title, [column("name", "Fact"), column("value", "Value")], rows)


def _table(title: str, columns: list[dict], rows: list[dict], filter: str | None = None) -> dict[str, Any]:
    return {"kind": "table", "title": title, "columns": columns, "rows": rows, "filter": filter}
