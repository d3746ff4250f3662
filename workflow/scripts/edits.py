"""Rule edits: the runs of both objectives in one table, and their trajectories in another."""

from memloc.rule import log, start

start(snakemake)

import pandas as pd

from memloc import tables

for name in ("edits", "trajectories"):
    parts, path = getattr(snakemake.input, name), getattr(snakemake.output, name)
    table = "edits" if name == "edits" else "edit_trajectories"
    frame = pd.concat([tables.read(table, part) for part in parts], ignore_index=True)
    log(f"{table}: {len(frame)} rows")
    tables.write(table, frame, path, tables.provenance(parts[0]) | {"rule": snakemake.rule})
