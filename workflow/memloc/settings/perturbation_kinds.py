"""What is done to a prefix token: words of settings and tables."""

KINDS = REPLACED, DELETED, SWAPPED = ("replaced", "deleted", "swapped")
