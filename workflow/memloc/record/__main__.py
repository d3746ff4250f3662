"""Verify a bundle that somebody handed over: `python -m memloc.record bundle.zip`, offline."""

import sys
from pathlib import Path

from memloc.record.verification import differences
from memloc.run.errors import UserError

if len(sys.argv) != 2:
    sys.exit("usage: python -m memloc.record BUNDLE, a zip file or the folder that it was unpacked to")
try:
    found = differences(Path(sys.argv[1]))
except UserError as error:
    sys.exit(str(error))
print("\n".join(found) or "all files are there and unchanged")
sys.exit(1 if found else 0)
