"""Command `memloc`, which asks a model about a text. It runs plain Snakemake with a config file."""
