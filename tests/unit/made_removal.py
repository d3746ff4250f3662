"""Small tables of ways to remove recitation, with known means."""

import pandas as pd

from memloc.settings.removal_ways import JOINT_ONLY, RETRAINED, WAY_NAMES

# Tokens kept by removed paragraphs and by own continuations; all other ways keep 40 and 30.
KEPT = {"nothing": (50, 50), "top": (10, 45), "all": (5, 20), "steering": (10, 20)}


def tables(n=8, ways=WAY_NAMES):
    """Tables `removal` and `removal_damage` of n paragraphs, two of them one by one."""
    removed, damage = [], []
    for way in ("nothing", *ways):
        em, own = KEPT.get(way, (40, 30))
        off = 0 if way == "nothing" else 1  # by which values lie around their means
        for mode in ("joint", "single"):
            if mode == "single" and (way in (*JOINT_ONLY, "nothing") or n < 3):
                continue
            left = em + 3 * (mode == "single")
            labels = {"way": way, "setting": "" if way == "nothing" else "share 0.1", "mode": mode}
            for number in range(n if mode == "joint" else 2):
                side = off if number % 2 else -off
                steps = None if way == "nothing" or number % 2 else number
                scores = {"em": left - number % 2 + side}
                scores |= {"em_4bit": 50 - number % 2 if number % 4 else left}
                scores["nll"] = {"nothing": 0.1, RETRAINED: 3.0}.get(way, 5.0 - number / 10)
                same = way == "nothing" or number == 0  # what is generated, to a share
                shares = {"edit_distance": 1 - em / 50 * same, "recited_perturbed": float(number == 0)}
                more = {"relearning_steps": steps, "n_changed_weights": 1000 * (1 + 8 * (number == 1))}
                removed.append({**labels, "id": number, **scores, **shares, **more})
            for taken in [None] if mode == "joint" else [0, 1]:
                for group, lost, more in (("memorized", 1.5, 1), ("non_memorized", 1, 2), ("held_out", 1, 0)):
                    for number in range(n + more):
                        text = {"group": group, "id": 100 + number, "used": False}
                        kept = 50 - lost * (50 - own) - 2 * (mode == "single")
                        side = 0 if number >= n else off if number // 2 % 2 else -off
                        if group == "memorized" and number == n:  # is left as it is
                            kept = 50
                        nll = 3.0 + lost * (50 - own) / 100 + number / 10 + side / 100
                        nll += 0 if group == "held_out" else (50 - own) / 10
                        text |= {"em": kept - number % 2 + side, "nll": nll}
                        damage.append({**labels, "removed": taken, **text})
    removed = pd.DataFrame(removed).astype({"relearning_steps": "Int64"})
    damage = pd.DataFrame(damage).astype({"removed": "Int64"})
    return {"removal": removed, "removal_damage": damage}
