"""A run next to published numbers and lists: compared, never assumed, and nothing depends on them."""
