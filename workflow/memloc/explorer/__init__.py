"""The interactive page of a study: its content and its files."""
