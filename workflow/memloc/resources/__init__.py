"""Resources of a study: memory, time and disk space of every rule before it runs; speed of a machine."""
