"""Command `memloc`: the workflow from any folder. Everything it does is plain Snakemake with a config file."""
