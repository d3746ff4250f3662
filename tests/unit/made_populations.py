"""What estimators of claims meet: values of a finished study, from which simulations draw samples.

`python tests/unit/made_populations.py results/mini/tables` writes them anew next to this file. A
population is a list of columns; of most, the first is a value of memorized paragraphs and the second of
non-memorized ones; of pairs, both are differences.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from memloc.data.sets import paired_differences
from memloc.localization.gradient_sizes import paragraph_sizes

FILE = Path(__file__).with_name("made_populations.json")
N_HEADS = 12  # of a map that is kept whole


def read() -> dict[str, list[np.ndarray]]:
    """Columns of each population."""
    return {name: [*map(np.array, columns)] for name, columns in json.loads(FILE.read_text()).items()}


def of_study(folder: Path) -> dict[str, list]:
    """The populations of a study's tables."""
    found = {**_perturbation(folder), **_ablation(folder)}
    sizes, sets = paragraph_sizes(_table(folder, "paragraph_gradients")), _table(folder, "sets")
    sampled = sizes.join(sets[sets["sampled"]].set_index("id")["set"], how="inner").set_index("set")
    found["log gradient"] = _groups(sampled["log_size"])
    found["gradient's lower share"] = _groups(sampled["lower_share"])
    pairs = paired_differences(sizes, sets)
    found["pairs' log gradient and NLL"] = [pairs[name].to_numpy() for name in ("log_size", "log_nll")]
    impact = _table(folder, "impact_gradients").query("group == 'perturbed'")
    shares = impact.groupby(["id", "layer"])["max_abs"].sum().unstack()
    found["layers' shares"] = shares.div(shares.sum(axis=1), axis=0).T.to_numpy()
    return found


def _table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{name}.parquet")


def _groups(values: pd.Series) -> list[np.ndarray]:
    return [values[name].to_numpy() for name in ("memorized", "non_memorized")]


def _perturbation(folder: Path) -> dict[str, list]:
    rows = _table(folder, "perturbation")
    own, rows = rows[rows["position"] < 0].set_index("id"), rows[rows["position"] >= 0]
    rows = rows.assign(rise=rows["nll_original"] - rows["id"].map(own["nll_original"]))
    rises = rows.pivot_table("rise", ["set", "id"], "position")
    half = rises.shape[1] // 2
    later = rises.iloc[:, half:-1].mean(axis=1) - rises.iloc[:, : half - 1].mean(axis=1)
    return {"rise per token": _groups(rises.mean(axis=1)), "later minus earlier rise": _groups(later)}


def _ablation(folder: Path) -> dict[str, list]:
    heads = _table(folder, "head_ablation")
    gained = heads.pivot(index=["group", "id"], columns=["layer", "head"], values="nll_gained")
    gained = gained.iloc[:, :N_HEADS]
    return {"heads": [gained.loc[name].to_numpy().T for name in ("memorized", "non_memorized")]}


if __name__ == "__main__":
    made = of_study(Path(sys.argv[1]))
    three = np.vectorize(lambda value: float(f"{value:.3g}"))
    rounded = {name: [three(column).tolist() for column in columns] for name, columns in made.items()}
    FILE.write_text(json.dumps(rounded, separators=(",", ":")).replace("],", "],\n") + "\n")
