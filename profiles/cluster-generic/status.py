#!/usr/bin/env python3
"""Print what has become of a PBS job: running (or waiting), success or failed."""

import json
import subprocess
import sys

query = subprocess.run(["qstat", "-x", "-f", "-F", "json", sys.argv[1]], capture_output=True, text=True)
if query.returncode:
    print("running")  # the server does not answer just now: ask again later
else:
    (job,) = json.loads(query.stdout)["Jobs"].values()
    ended = job["job_state"] == "F"
    print("running" if not ended else "success" if job.get("Exit_status") == 0 else "failed")
