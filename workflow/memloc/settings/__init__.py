"""The settings of a study: a file per section, or per few that belong together, validation, documentation."""
