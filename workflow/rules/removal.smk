# What the removal of recitation asks for, such as a model that is trained without the removed paragraphs.

from memloc.settings.removal_ways import EDITS, RETRAINED

REMOVAL_TABLES = ("removal", "removal_damage")
REMOVAL_ASKED = bool(SETTINGS.remove.ways)
# The ways to change weights that remove grown memories: those that the study lists; if it lists none, all.
GROWN_REMOVED = bool(GROWN and SETTINGS.remove.n_single)
WEIGHT_WAYS = [way for way in EDITS if way in SETTINGS.remove.ways] or [*EDITS]

RETRAINED_MODEL = [f"{RESULTS}/retrained"] if RETRAINED in SETTINGS.remove.ways else []

if RETRAINED_MODEL:

    rule retrain:
        input:
            **tables("training_stream", "training_curve", "sets"),
            base=PRETRAINED,
            tokenizer=f"{SHARED}/tokenizer",
        output:
            folder=directory(RETRAINED_MODEL[0]),
        log:
            log_file("retrain"),
        benchmark:
            benchmark_file("retrain")
        threads: MODEL.threads
        resources:
            mem_mb=growing(MEMORY["retrain"]),
            runtime=limited(120),
        params:
            **tracked("model", "remove"),
            work=placed(f"{RESULTS}/shards/retrain"),
        message:
            f"Train the model again, without the paragraphs that are removed.{MB_SAID}"
        script:
            "../scripts/retrain.py"
