"""Models: the subject of analyses, families, loading, sites, partial passes, weights, training."""
