"""Comparison of a run with published numbers, on which nothing else depends."""
