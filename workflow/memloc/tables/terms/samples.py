"""Samples that show how far a result depends on which paragraphs were drawn."""

SAMPLES = ("part", "rest", "resample")
