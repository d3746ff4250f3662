"""Models: loading, components, hooks, hardware, memory, partial passes, micro-batches, training."""
