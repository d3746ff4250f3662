"""Paragraphs with replaced, deleted or swapped tokens in their prefix."""
