"""The settings of a study: its sections, one or a few to a file, and their validation."""
