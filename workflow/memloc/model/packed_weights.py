"""The largest model whose weights a processor holds twice: also in oneDNN's order (`onednn.pack`). The memory
estimate needs it too, and the Snakefile, so this module imports nothing heavy.
"""

MOST_PACKED = 2**31  # bytes of weights
