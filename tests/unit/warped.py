"""Probabilities under a scheme of sampling as transformers itself computes them."""

from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper


def warped(logits, scheme):
    """Log-softmax of what the warpers of transformers leave, in their own order."""
    warpers = LogitsProcessorList()
    if scheme.temperature != 1:
        warpers.append(TemperatureLogitsWarper(scheme.temperature))
    if scheme.top_k is not None:
        warpers.append(TopKLogitsWarper(scheme.top_k))
    if scheme.top_p is not None:
        warpers.append(TopPLogitsWarper(scheme.top_p))
    return warpers(None, logits.clone()).log_softmax(-1)
