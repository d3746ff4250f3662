# One model's analyses and figures. The Snakefile includes this file; a study of several models imports it
# once per model (models.smk).

MEMBERS = []  # studies of a single model have no others below them
JUDGED = True


include: "common.smk"
include: "downloads.smk"
include: "model.smk"
include: "training.smk"
include: "paragraphs.smk"
include: "counterfactual.smk"
include: "capacity.smk"
include: "removal.smk"
include: "analyses.smk"
include: "passages.smk"
include: "grown_truth.smk"
include: "edited_model.smk"
include: "expected.smk"
include: "run_config.smk"
include: "shards.smk"
include: "claims.smk"
include: "figures.smk"
include: "story.smk"
include: "explorer.smk"
include: "figures_page.smk"


if SETTINGS.seeds:

    include: "seeds.smk"
