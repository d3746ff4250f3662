"""Ground truth: grow paragraphs in chosen weights, then ask every method where they are."""
