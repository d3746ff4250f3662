"""Planted truth: train chosen weights to recite a paragraph, then ask every method where it is."""
