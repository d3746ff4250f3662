"""Small tables of ways to remove recitation, with known means."""

import numpy as np
import pandas as pd

from memloc.settings.removal_ways import UNTARGETED, WAY_NAMES

# Tokens kept by removed paragraphs and by own continuations; all other ways keep 40 and 30.
KEPT = {"nothing": (50, 50), "top": (10, 45), "all": (5, 20), "steering": (10, 20)}


def tables(n=8, ways=WAY_NAMES):
    """Tables `removal`, `removal_damage` and `removal_costs` of n paragraphs, two of them one by one."""
    removed, damage, costs = [], [], []
    for way in ("nothing", *ways):
        em, own = KEPT.get(way, (40, 30))
        for mode in ("joint", "single"):
            if mode == "single" and (way in (*UNTARGETED, "nothing") or n < 3):
                continue
            labels = {"way": way, "setting": "" if way == "nothing" else "share 0.1", "mode": mode}
            for number in range(n if mode == "joint" else 2):
                steps = None if way == "nothing" or number % 2 else number
                scores = {"em": em - number % 2, "log_p": -np.inf if em < 20 else -0.1, "longest_run": em}
                shares = {"edit_distance": 1 - em / 50, "recited_perturbed": 0.25, "recited_shifted": 0.5}
                more = {"relearning_steps": steps, "n_changed_weights": 1000}
                more["targeted"] = way not in (*UNTARGETED, "nothing")
                removed.append({**labels, "id": number, **scores, **shares, **more})
            for taken in [None] if mode == "joint" else [0, 1]:
                costs.append({**labels, "removed": taken, "seconds": 1.5, "memory_mb": 1234.5})
                for group in ("memorized", "non_memorized", "held_out"):
                    for number in range(n):
                        text = {"group": group, "id": 100 + number, "seen": False}
                        nll = 3.0 + (50 - own) / 100 + number / 10
                        damage.append(
                            {**labels, "removed": taken, **text, "em": own - number % 2, "nll": nll}
                        )
    removed = pd.DataFrame(removed).astype({"relearning_steps": "Int64"})
    damage = pd.DataFrame(damage).astype({"removed": "Int64"})
    return {"removal": removed, "removal_damage": damage, "removal_costs": pd.DataFrame(costs)}
