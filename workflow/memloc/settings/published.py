"""What the paper, the authors' code and the published paragraphs fix, where several places use it."""

REFERENCE_NLL_WEIGHT = 0.1  # of the memorized paragraph's NLL in the authors' code
SPARSE_FRACTION = 0.001  # of the W_* weights, moved by the sparse edits (paper 5.3)
# The repository of the hub, and its commit, that has the tokenizer (GPT-2's) of the published paragraphs.
RELEASE_TOKENIZER = {
    "id": "openai-community/gpt2",
    "revision": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
}
