"""Paragraphs: downloads, the published data, own text, real code, drawn text, filters, sets and samples."""
