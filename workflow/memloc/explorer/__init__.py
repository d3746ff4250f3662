"""The interactive page of a study: what it holds, and how it is written."""
