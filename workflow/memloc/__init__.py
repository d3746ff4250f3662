"""memloc: localize paragraph memorization in causal language models (Stoehr et al., 2024).

The library behind the workflow. One module per method; functions take and return tensors or frames,
only `models` knows how models are loaded and only `tables` knows how tables are stored.
"""

__version__ = "0.1.0"
