"""The largest model whose weights a processor holds twice: as they are, and in oneDNN's order
(`onednn.pack`). The Snakefile estimates memory with it, so this module imports nothing heavy.
"""

MOST_PACKED = 2**31  # bytes of weights
