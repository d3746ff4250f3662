"""Rule verify: are the bundle of a study and the results that it was made from unchanged?"""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.record.verification import differences
from memloc.run.errors import InputError
from memloc.tables.terms.claims import counted

bundle = Path(job.params.bundle)
found = differences(bundle, bundle.parent)
for line in found:
    job.log(line)
if found:
    advice = "; delete what older code has left" if any(": added in" in line for line in found) else ""
    raise InputError(f"{found[0]} ({counted(len(found), 'difference')}, see the log){advice}")
job.tell(f"{bundle} and the results are unchanged")
