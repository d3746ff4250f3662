"""Up to which size models hold their weights twice on a processor: also in oneDNN's order (`linear.pack`).

A fact of speed and of memory (`memory`), and light enough for the Snakefile.
"""

MOST_PACKED = 2**31  # bytes of weights
