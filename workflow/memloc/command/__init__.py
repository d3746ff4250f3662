"""Command `memloc`: the workflow from any folder. It runs plain Snakemake with a config file."""
