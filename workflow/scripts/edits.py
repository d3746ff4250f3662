"""Rule edits: the runs of both objectives in one table, and their trajectories in another."""

from memloc.run.rule import log, start

start(snakemake)

import pandas as pd

from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.edits import EDIT_TRAJECTORIES, EDITS

SCHEMAS = by_name(EDIT_TRAJECTORIES, EDITS)

for name in ("edits", "trajectories"):
    parts, path = getattr(snakemake.input, name), getattr(snakemake.output, name)
    table = "edits" if name == "edits" else "edit_trajectories"
    frame = pd.concat([storage.read(SCHEMAS[table], part) for part in parts], ignore_index=True)
    log(f"{table}: {len(frame)} rows")
    storage.write(SCHEMAS[table], frame, path, storage.provenance(parts[0]) | {"rule": snakemake.rule})
