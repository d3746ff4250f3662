"""Rule verify: are the bundle of a study and the results that it was made from unchanged?"""

from memloc.run.rule import log, start

start(snakemake)

from pathlib import Path

from memloc.record.verification import differences
from memloc.run.errors import InputError

bundle = Path(snakemake.params.bundle)
found = differences(bundle, bundle.parent)
for line in found:
    log(line)
if found:
    raise InputError(f"{found[0]} ({len(found)} differences, see the log)")
log(f"{bundle} and the results are unchanged")
