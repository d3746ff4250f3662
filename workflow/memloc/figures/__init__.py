"""Figures: one module each; they read tables only."""
