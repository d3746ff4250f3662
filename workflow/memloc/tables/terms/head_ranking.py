"""Rankings of attention heads."""

PAPER_METHODS = ("parameter_gradient", "activation_gradient", "rare_tokens", "patching")
COMBINED = "combined"  # by the mean rank
