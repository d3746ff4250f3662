"""Speed of the workflow's stages, next to straightforward implementations of the same work."""
