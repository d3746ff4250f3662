"""Rule join_claims: the verdicts of all topics in one table."""

from memloc.tables.job import start

job = start(snakemake)

claims = job.read("claims")
job.log(str(claims.verdict.value_counts().to_dict()))
job.write(claims=claims)
