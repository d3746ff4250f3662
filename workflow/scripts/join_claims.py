"""Rule join_claims: the verdicts of all topics in one table."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc.tables import storage
from memloc.tables.schemas.claims import CLAIMS

claims = pd.concat([storage.read(CLAIMS, path) for path in snakemake.input.topics], ignore_index=True)
log(str(claims.verdict.value_counts().to_dict()))
storage.write(CLAIMS, claims, snakemake.output[0], provenance(snakemake))
