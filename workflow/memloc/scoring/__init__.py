"""What a model makes of a paragraph: exact match, NLL, decoding, losses."""
