"""Paragraphs with replaced tokens in their prefix."""
