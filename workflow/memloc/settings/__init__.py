"""The settings of a study: sections, a file each or a file for a few of them, and validation."""
