"""Rule join_claims: the verdicts of all topics in one table."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.claims.verdicts import together

claims = together(job.read("claims"))
job.log(", ".join(f"{n} {verdict}" for verdict, n in claims.verdict.value_counts().items()))
job.write(claims=claims)
