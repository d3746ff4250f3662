"""How fast the stages of the workflow are, next to straightforward implementations of the same work."""
