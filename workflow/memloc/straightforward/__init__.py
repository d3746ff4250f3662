"""Straightforward implementations: slow, obvious, and without any code of the fast ones.

Tests hold the library against them, and the benchmark times it against them.
"""
