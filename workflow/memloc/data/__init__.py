"""Paragraphs: downloads, the published data, own and embedded text, filters, sets and samples."""
