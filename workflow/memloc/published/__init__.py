"""Comparison of a run with published numbers and lists, on which nothing else depends."""
