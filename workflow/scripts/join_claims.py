"""Rule join_claims: the verdicts of all topics in one table."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.claims.verdicts import together

claims = together(job.read("claims"))
job.log(str(claims.verdict.value_counts().to_dict()))
job.write(claims=claims)
