"""Straightforward implementations: slow, obvious, and without code of the fast ones.

Tests compare the library with them, and the benchmark times both.
"""
