"""The settings of a study: one file per section, validation, generated documentation."""
