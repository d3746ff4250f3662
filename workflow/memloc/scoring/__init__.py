"""Scores of paragraphs: exact match, NLL, decoding, losses."""
