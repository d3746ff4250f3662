"""The console of a run, as a logger plugin of Snakemake: a line for each rule that is finished.

Of plans and lists, of other workflows, and of this one as a module of another Snakemake speaks as ever, and
so it does in jobs of a cluster, which use no plugin. Its log in `.snakemake/log` has everything in any case.
"""

import logging
import sys
import time
from collections import Counter

from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

OWN = "memloc"  # attribute of our records; the library is known only when the Snakefile has been read
LONG = 60  # seconds; a rule that is expected to take longer is named when it begins, too
SHOWN = ("Nothing to be done", "Will exit after", "Terminating", "Creating conda", "Pulling singularity")
# Errors that say only that a job failed; the last line says why.
KNOWN = ("CalledProcessError", "Exiting because a job", "At least one job did not complete")


class LogHandler(LogHandlerBase, ColorizingTextHandler):
    """Snakemake's own handler, until a run of this workflow begins."""

    writes_to_stream, writes_to_file, needs_rulegraph = True, False, False
    has_filter = has_formatter = False  # it gets Snakemake's

    def __post_init__(self) -> None:
        """Begin as Snakemake's own handler does."""
        asked = self.common_settings
        ColorizingTextHandler.__init__(self, asked.nocolor, sys.stdout if asked.stdout else sys.stderr)
        self._as_ever = asked.dryrun or asked.verbose or asked.printshellcmds or asked.debug_dag
        self._ours, self._run = False, None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record: as it is, in other words, or not at all."""
        self._ours |= hasattr(record, OWN)
        if getattr(record, "event", None) == LogEvent.WORKFLOW_STARTED and self._ours and not self._as_ever:
            self._run = Run()
        if self._run is None:
            ColorizingTextHandler.emit(self, record)
        elif text := self._run.told(record):
            level = record.levelname if record.levelno > logging.INFO else ""  # which has no colour
            ColorizingTextHandler.emit(self, logging.makeLogRecord({"msg": text, "levelname": level}))


class Run:
    """What there is to do, and what is done."""

    def __init__(self) -> None:
        from memloc.run.console import spoken

        self._spoken = spoken
        self._words: dict[str, str] = {}  # what a rule does, by its name
        self._rules: dict[int, str] = {}  # by number of a job
        self._all, self._left = Counter(), Counter()  # jobs of each rule
        self._total, self._seconds = None, {}  # expected: of the run, and of each rule's job
        self._began = time.monotonic()

    def told(self, record: logging.LogRecord) -> str | None:
        """What the console says of a record of Snakemake, if anything."""
        about, event, text = record.__dict__, getattr(record, "event", None), record.getMessage()
        if OWN in about:
            self._total, self._seconds = about[OWN] or (self._total, self._seconds)
            return text
        if event == LogEvent.RUN_INFO:
            self._all = Counter({rule: n for rule, n in about["stats"].items() if rule != "total"})
            self._left = self._all.copy()
        elif event == LogEvent.JOB_INFO:
            return self._begun(record.jobid, record.rule_name, record.rule_msg)
        elif event == LogEvent.JOB_FINISHED:
            return self._finished(self._rules[record.job_id])
        elif event == LogEvent.JOB_ERROR:
            return f"Failed: {self._words.get(record.rule_name, record.rule_name)}"
        elif record.levelno > logging.INFO:
            return None if any(words in text for words in KNOWN) else text
        return text if text.startswith(SHOWN) else None

    def _begun(self, job: int, rule: str, words: str | None) -> str | None:
        self._rules[job], first = rule, rule not in self._words
        self._words[rule] = words or rule
        if first and (seconds := self._seconds.get(rule, 0)) >= LONG:
            return f"Begins, about {self._spoken(seconds)}: {self._words[rule]}"
        return None

    def _finished(self, rule: str) -> str | None:
        self._left[rule] -= 1
        if self._left[rule]:
            return None
        if not +self._left:
            return f"100 %: {self._words[rule]}"
        known = self._total is not None and any(map(self._seconds.get, self._all))
        every = self._seconds if known else dict.fromkeys(self._all, 1)
        left, whole = (
            sum(n * every.get(name, 0) for name, n in of.items()) for of in (self._left, self._all)
        )
        done, elapsed = 1 - left / whole, time.monotonic() - self._began
        share = f"{min(int(100 * done), 99)} %"
        if not known:  # of a run that was killed, only how many rules are left
            return f"{share}: {self._words[rule]}"
        # What was expected counts for less, and what was seen for more, as the run goes on.
        seconds = (1 - done) * ((1 - done) * self._total + elapsed)
        return f"{share}, about {self._spoken(seconds)} left: {self._words[rule]}"
