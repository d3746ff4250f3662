"""Training that moves chosen weights: objectives, masks, optimisers, steps."""
