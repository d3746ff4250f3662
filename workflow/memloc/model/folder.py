"""Names of files in a model's folder that several modules know."""

COMMIT = "commit.txt"
