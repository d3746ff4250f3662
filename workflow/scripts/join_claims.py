"""Rule join_claims: the verdicts of all topics in one table."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import tables

claims = pd.concat([tables.read("claims", path) for path in snakemake.input.topics], ignore_index=True)
log(str(claims.verdict.value_counts().to_dict()))
tables.write("claims", claims, snakemake.output[0], provenance(snakemake))
