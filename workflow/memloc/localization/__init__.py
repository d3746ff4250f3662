"""Where in the model a paragraph is: gradients, attention, patching, ablation, rankings."""
