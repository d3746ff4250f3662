"""Rule estimate: what the study will cost, before anything of it has run."""

from memloc.run.rule import log, start

start(snakemake)

from memloc.bench.estimate import estimate, studies, summary, this_machine
from memloc.model.cost import NAMED
from memloc.run.steps import Step, needed
from memloc.settings.study import Settings

params = snakemake.params
steps = needed([Step(**rule) for rule in params.ran], params.targets)
settings = Settings.model_validate(params.whole)
machine = NAMED.get(settings.estimate.machine) or this_machine(params.cores)
frame = estimate(steps, studies(steps, params.results, settings), machine)
log(summary(steps, frame, machine))
