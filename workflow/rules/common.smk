# Shared by the other files of rules: the settings, paths of files, parameters of scripts, and resources.

import importlib.util
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from snakemake.io import sourcecache_entry

# Scripts import memloc from here even if it is not installed (conda environments, containers). Rules that
# were fetched from a repository, for a workflow that uses this one as a module, have no library beside them.
WORKFLOW = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve().parent
FETCHED = not (WORKFLOW / "memloc").is_dir()
if not FETCHED:
    sys.path.insert(0, str(WORKFLOW))
    os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [str(WORKFLOW), os.environ.get("PYTHONPATH")])))
elif not importlib.util.find_spec("memloc"):
    raise SystemExit(
        "memloc is not installed: pip install 'memloc @ git+https://<repository>@<same version>'"
    )
# By default glibc returns freed memory at once, and page faults take a fifth of a training step.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(2**25))
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**29))


from memloc.run.rule import spare_garbage

spare_garbage()  # before libraries are imported

from memloc.figures.catalog import FIGURES
from memloc.planning.estimate import limits
from memloc.run import tracking
from memloc.run.console import unknown_target
from memloc.run.errors import UserError
from memloc.run.steps import script_of
from memloc.settings.errors import validate
from memloc.settings.study import TRAINED
from memloc.tables import schemas


@contextmanager
def explained(where=""):
    """An error that a user can mend stops the workflow before any job runs; one line says what to do.

    Snakemake would show any other error together with lines of this file.
    """
    try:
        yield
    except UserError as error:
        raise SystemExit(f"{where}{error}")


def validated(config):
    """The study's settings; errors name the config files, or the module of another workflow."""
    name = workflow.modifier.namespace
    given = f"config of module {name}" if name else " + ".join(map(str, workflow.configfiles))
    with explained():
        # Snakemake reads `pathvars` itself.
        return validate({key: value for key, value in config.items() if key != "pathvars"}, given)


SETTINGS = validated(config)
RESOURCES = workflow.pathvars.apply("<resources>")
RESULTS = workflow.pathvars.apply(f"<results>/{SETTINGS.study}")
# A study whose samples are drawn again with another seed (seeds.smk) shares data, model and scores.
SHARED = workflow.pathvars.apply(f"<results>/{SETTINGS.shared}")
SHARED_TABLES = (
    *("paragraphs", "places", "dropped_paragraphs", "dropped_reference", "vocabulary"),
    *("training_stream", "occurrences", "training_curve", "grown", "twins", "scores", "extraction"),
    *("half_texts", "half_scores", "recited", "texts"),
)
# Template, scripts and styles of the explorer.
PAGE_FILES = sorted((tracking.PACKAGE / "explorer/page").iterdir())
FIGURE_KINDS = ("pdf", "png", "csv", "rst")


def placed(path):
    """The path below the `prefix` of a module, which Snakemake adds to files of rules, not to parameters."""
    return workflow.modifier.path_modifier.replace_prefix(path)


def source(path):
    """A file of workflow/: itself, or its fetched copy."""
    return workflow.source_path(f"../{path}") if FETCHED else WORKFLOW / path


def own_file(path):
    """A file of ours as an input: relative, so that nothing runs again where the whole project is moved."""
    path = os.path.relpath(path)
    return local(sourcecache_entry(path, path))  # `local` files are not below the prefix of a module


def report_file(name):
    """A caption or another text of workflow/report as an input."""
    return own_file(source(f"report/{name}"))


def log_file(name):
    """Path of the log of a rule."""
    return f"{RESULTS}/logs/{name}.log"


def benchmark_file(name):
    """Path of the time and memory that a rule took."""
    return f"{RESULTS}/benchmarks/{name}.tsv"


def table(name):
    """Path of a table of this study, or of the study that shares it."""
    folder = "benchmarks" if name in schemas.MEASURED else "tables"
    return f"{SHARED if name in SHARED_TABLES else RESULTS}/{folder}/{name}.parquet"


def tables(*names):
    """Inputs or outputs of a rule: tables, each named after itself."""
    return {name: table(name) for name in names}


def tables_in(folders, *names):
    """Inputs of a rule: tables of several studies, each named after itself."""
    return {name: [f"{folder}/tables/{name}.parquet" for folder in folders] for name in names}


def files_of(figures):
    """Inputs of a rule: all files of some figures."""
    return [f"{RESULTS}/figures/{figure.name}.{kind}" for figure in figures for kind in FIGURE_KINDS]


def drawn(figure):
    """A figure with the inputs and the parameters of its script."""
    if figure.only_for == "runs":
        folders = [RESULTS, *(f"{RESULTS}/{sample}" for sample in RESAMPLED)]
        told = {"model": MODEL_NAME, "seeds": [SETTINGS.seed, *SETTINGS.seeds]}
        return figure, tables_in(folders, *figure.tables), told
    return figure, tables(*figure.tables), {"model": MODEL_NAME}


def figure_files(figure):
    """Outputs of the rule that draws a figure; the report sorts them by labels, several models by model."""
    path = f"{RESULTS}/figures/{figure.name}"
    chapter, number = numbered(figure)
    labels = {"no.": number, "figure": figure.name, "shows": figure.title, "paper": figure.section}
    caption = os.path.abspath(placed(f"{path}.rst"))
    shown = report(
        f"{path}.png", caption=caption, category=chapter, subcategory=SETTINGS.variant, labels=labels
    )
    files = {"pdf": f"{path}.pdf", "png": shown, "csv": f"{path}.csv", "caption": f"{path}.rst"}
    beside = {"page": f"{path}.html"} if figure.page else {}
    return files | beside


def code_files(steps):
    """Files of the workflow by their place in its repository."""
    names = ["Snakefile", *(step.script.removeprefix("workflow/") for step in steps)]
    for file in workflow.included:
        names += [f"rules/{name}" for name in re.findall(r"rules/(\w+\.smk)", str(file))]
    files = {f"workflow/{name}": source(name) for name in names}
    for path in (*tracking.PACKAGE.rglob("*.py"), *tracking.PACKAGE.rglob("*.yaml")):
        files[f"workflow/memloc/{path.relative_to(tracking.PACKAGE).as_posix()}"] = path
    files["envs/requirements.lock"] = source("../envs/requirements.lock")
    return {place: os.path.relpath(path) for place, path in files.items()}


# Rules that run the model with the token of `paragraph.before`; others count positions from the first token.
TAKE_A_TOKEN_BEFORE = ("scores", "passages", "sets", "score_samples", "perturbation")


def refused(rule):
    """An input that stops the workflow before any job, for a rule that does not take `paragraph.before`."""

    # An error that is no `Exception` passes Snakemake, which would put a traceback around any other.
    def stop(wildcards):
        raise SystemExit(
            f"{rule} does not take a token before the prefix: set paragraph.before to none, or ask for targets "
            "that do, such as fig2, fig3, recited, extraction and positions"
        )

    return stop


def no_target(wildcards):
    """An input that stops the workflow: it was asked for a word that is neither a target nor a file."""
    raise SystemExit(unknown_target(wildcards.target, [each.name for each in workflow.rules]))


# Stages that run as several jobs, each with the parts of its tables and its whole tables (shards.smk).
JOINED = {}


class Shards:
    """A stage that runs as several jobs, rule <stage>_shard, whose parts rule <stage> joins.

    With one shard there are no parts: rule <stage> writes its tables itself. Snakemake's scattergather joins
    a single part, too, and would write every large table twice.
    """

    def __init__(self, stage, most=None, n=None):
        """No more than `most` jobs have work, and are started. `n` sets their number in place of `shards`."""
        self.stage = self.rule = name = stage
        self.n = n or (SETTINGS.shards if most is None else min(SETTINGS.shards, most))
        if self.n > 1:
            self.rule, name = f"{stage}_shard", f"{stage}/{{shard}}-of-{self.n}"
        self.log, self.benchmark = log_file(name), benchmark_file(name)

    def tables(self, *names):
        """Outputs of a job of the stage: parts of tables, or the whole tables with one shard."""
        if self.n == 1:
            return tables(*names)
        part = f"{{shard}}-of-{self.n}.parquet"
        made = {name: f"{RESULTS}/shards/{self.stage}/{name}/{part}" for name in names}
        parts = {
            name: [path.replace("{shard}", str(at)) for at in range(self.n)] for name, path in made.items()
        }
        JOINED[self.stage] = parts, tables(*names)
        return made

    def number(self, wildcards):
        """Which shard a job computes, from 0, and of how many."""
        return [int(wildcards.get("shard", 0)), self.n]


def tracked(*sections):
    """Parameters of a script: study, seed and the sections of settings that it uses.

    A rule reruns when, and only when, one of these changes or the code does (`code_of`).
    """
    chosen = SETTINGS.model_dump(mode="json", include={"paragraph", *sections})
    return {"study": SETTINGS.study, "seed": SETTINGS.seed, "settings": chosen}


def code_of(rule):
    """Hash of the code of a rule: its script, what it imports by a name (parameter `module`: a module, or all
    of a package), and the schemas of the tables that are inputs and outputs."""
    named = {name for files in (rule.input, rule.output) for name, _ in files.items()} & schemas.STAGES.keys()
    files = [source(f"scripts/{script_of(rule)}"), *map(schemas.file_of, sorted(named))]
    if module := rule.params.get("module"):
        file = tracking.module_file(module, tracking.PACKAGE)
        files += sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]
    return tracking.code_hash(*files)


# The priority of jobs that all analyses wait for, and of what can be looked at meanwhile.
FIRST = 1
FIRST_LOOK = ("fig2", "recited")  # a picture and a page to look at while the rest runs
# GPUs of every rule that runs the model; local runs ignore the number unless a profile sets a limit.
N_GPU = 0 if SETTINGS.loading.device == "cpu" else SETTINGS.loading.gpus
# Time limits (minutes) of this study's rules, where `snakemake estimate` left its table.
with explained():
    LIMITS = limits(Path(placed(table("estimate"))))


def n_gpus():
    """GPUs of this machine that jobs share: a resource that a profile names, else one at most."""
    return workflow.global_resources["gpu"].value if "gpu" in workflow.global_resources else 1


def growing(amount):
    """Memory (MB) or time (minutes) that doubles with every retry of a job."""
    return lambda wildcards, attempt: amount * 2 ** (attempt - 1)


def limited(minutes):
    """Minutes that a run of the model may take, by the estimate where there is one; they grow like memory."""
    return lambda wildcards, attempt, rulename: LIMITS.get(rulename, minutes) * 2 ** (attempt - 1)
