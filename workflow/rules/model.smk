# The model that is analysed, whatever its source: folder, name and revision, and the memory that rules need.

from memloc.model.context import require_room
from memloc.planning.work import memory, n_parameters

TRAINED_MODEL = f"{SHARED}/model"  # of a model that the workflow trains itself

if MODEL.source == "hub":
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = HUB_MODEL, MODEL.id, MODEL.revision
elif MODEL.source == "local":
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = MODEL.folder, MODEL.folder, None
elif MODEL.source == "fine_tuned":
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = TRAINED_MODEL, MODEL.name, MODEL.package
else:
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = (
        TRAINED_MODEL,
        f"embedded model of study {SETTINGS.shared}",
        None,
    )


# Parameters of rules that identify the model. A user may put another one into a folder. Snakemake itself
# records the folders that rules make.
MODEL_IDENTITY = {
    "name": MODEL_NAME,
    "revision": MODEL_REVISION,
    "files": tracking.file_stamps(placed(MODEL_FOLDER)) if MODEL.source == "local" else {},
}


# MB that every rule that runs a model asks for. Until a model is there, its name says how large it is.
with explained(f"{MODEL_FOLDER}: "):
    N_PARAMETERS = n_parameters(SETTINGS, placed(MODEL_FOLDER))
    require_room(placed(MODEL_FOLDER), SETTINGS.paragraph.length)
with explained():
    MEMORY = memory(N_PARAMETERS, SETTINGS)
# The end of these rules' messages, which are all that a dry run prints of a job.
MB_SAID = " ({resources.mem_mb} MB of memory)"


rule model:
    input:
        folder=MODEL_FOLDER,
        text=[f"{SHARED}/text.json"] if DATA.source == "code" else [],
    output:
        **tables("vocabulary"),
        description=f"{SHARED}/model.json",
    log:
        log_file("model"),
    benchmark:
        benchmark_file("model")
    resources:
        mem_mb=growing(MEMORY["model"]),
        runtime=growing(30),
    params:
        **tracked(),
        **MODEL_IDENTITY,
        dtype=SETTINGS.loading.dtype,
    message:
        f"Identify the model (hash, sizes) and write the text of its tokens.{MB_SAID}"
    script:
        "../scripts/model.py"
