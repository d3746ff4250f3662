# One model's analyses and figures. The Snakefile includes this file; a study of several models imports it
# once per model (models.smk).


include: "common.smk"
include: "downloads.smk"
include: "model.smk"
include: "training.smk"
include: "paragraphs.smk"
include: "scores.smk"
include: "passages.smk"
include: "perturbation.smk"
include: "gradients.smk"
include: "activations.smk"
include: "rare_tokens.smk"
include: "patching.smk"
include: "token_statistics.smk"
include: "detection.smk"
include: "counterfactual.smk"
include: "ranking.smk"
include: "editing.smk"
include: "ablation.smk"
include: "weight_noise.smk"
include: "grown_truth.smk"
include: "removal.smk"
include: "removal_of_grown.smk"
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
