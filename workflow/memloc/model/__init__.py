"""Models: loading, components, hooks, families, memory, partial passes, micro-batches, training."""
