"""The record of a run: a bundle of all results that machines can read, and its verification."""
