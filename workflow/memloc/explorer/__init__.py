"""The page on which people walk around in a study: what it holds, and how it is written."""
