# The model that is analysed, wherever it comes from: its folder, what identifies it, and the memory it needs.

from memloc.model.context import require_room
from memloc.resources import memory, shapes

if MODEL.source == "hub":
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = HUB_MODEL, MODEL.id, MODEL.revision
elif MODEL.source == "local":
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = MODEL.folder, MODEL.folder, None
elif MODEL.source == "planted":
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = TRAINED_MODEL, MODEL.name, MODEL.package
else:
    MODEL_FOLDER, MODEL_NAME, MODEL_REVISION = (
        TRAINED_MODEL,
        f"embedded model of study {SETTINGS.shared}",
        None,
    )


# MB that every rule that runs the model asks for; before an unknown model is downloaded, as for one of 1.4 B.
with explained(f"{MODEL_FOLDER}: "):
    SHAPE = shapes.shape_of(SETTINGS, *map(placed, PRETRAINED or [MODEL_FOLDER]))
    require_room(placed(MODEL_FOLDER), SETTINGS.paragraph.length)
MEMORY = memory.stage_megabytes(SHAPE, SETTINGS)


rule model:
    input:
        folder=MODEL_FOLDER,
    output:
        **tables("vocabulary"),
        description=f"{SHARED}/model.json",
    log:
        log_file("model"),
    benchmark:
        benchmark_file("model")
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(MEMORY["model"]),
        runtime=growing(30),
    params:
        **tracked(),
        dtype=SETTINGS.loading.dtype,
        name=MODEL_NAME,
        revision=MODEL_REVISION,
        # The user may put another model into the folder; what rules make has Snakemake's own record.
        files=tracking.file_stamps(placed(MODEL_FOLDER)) if MODEL.source == "local" else {},
    message:
        "Identify the model (hash, sizes) and write the text of its tokens."
    script:
        "../scripts/model.py"
