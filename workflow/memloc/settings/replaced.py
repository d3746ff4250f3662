"""Keys that are gone, and values that have another name: what a config that still has one is told."""

REPLACED = {
    "bench": "the benchmark is no study: run make bench",
    "planted_truth": "nothing is planted into a finished model; memories grow while it is trained "
    "(model.grown), and grown_truth has the settings of the methods that are asked about them",
    "loading.checkpointing": "a smaller micro_batch takes less memory, too; leave it out",
    "detection.n_layers": "no features come from gradients; leave it out",
    "detection.n_shuffles": "labels are no longer shuffled; leave it out",
    "remove.shifts": "prefixes are perturbed, not shifted; leave it out",
    "model.grown.twins": "twins of the model are always trained; leave it out",
    "data.source: embedded": "docstrings with drawn repeats are named drawn now; real files, each once, are "
    "code",
    "model.source: planted": "the model's name is fine_tuned now",
}
"""By the key, or by the key and its value."""
