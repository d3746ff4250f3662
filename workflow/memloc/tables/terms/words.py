"""The words that captions and the explorer use without saying what they mean: at most thirty.

The explorer shows a meaning on hover, figures.html links it, and docs/words.md lists all.
"""

WORDS = {
    "paragraph": "A piece of text of a fixed number of tokens: a prefix, and its continuation.",
    "prefix": "The first tokens of a paragraph. The model is given these.",
    "continuation": (
        "The other tokens of a paragraph. The question is whether the model writes them by itself."
    ),
    "own continuation": (
        "What the model itself writes after the prefix of a text that it does not recite. Tokens of it that "
        "are lost show damage."
    ),
    "greedy": "Decoding that always takes the model's first choice.",
    "recite": "To write the whole continuation, word for word, by greedy decoding.",
    "exact match": (
        "EM: how many tokens of the continuation the model writes correctly before its first mistake. All "
        "from there on count as lost."
    ),
    "NLL": (
        "Negative log-likelihood: how surprised the model is by the continuation, in nats per token. 0: "
        "it is sure of every token."
    ),
    "memorized": "A paragraph of the training text that the model recites.",
    "partly": "The model writes a part of the continuation before its first mistake.",
    "non-memorized": "The model goes wrong within the first tokens of the continuation.",
    "unseen": "The model saw neither it, nor a near-copy, nor its continuation elsewhere.",
    "held out": (
        "Of files that were left out of the training. What is lost there is harm to the rest of the "
        "model. With copies: the training text holds the same elsewhere."
    ),
    "exposure": (
        "How often the model saw a continuation in training, wherever it stood. Paragraphs of equal "
        "exposure are compared in pairs, because much that occurs often is known for that reason alone."
    ),
    "boundary zone": (
        "Exposures at which some paragraphs are recited and others are not, so that the exposure alone "
        "does not tell which."
    ),
    "extraction probability": "The chance that one random sample from the model is the whole continuation.",
    "strongest replacement": (
        "Each token of the prefix is replaced in turn by a random other one. This is the one that costs most."
    ),
    "perturbed": "With the strongest replacement in its prefix.",
    "impact token": (
        "The first token of the continuation that the model writes differently after the strongest "
        "replacement."
    ),
    "gradient": (
        "How much the NLL changes when a weight or an activation moves a little. Large ones show where "
        "the model could be changed most easily."
    ),
    "contrastive": (
        "An objective that raises the NLL of a memorized paragraph and keeps what the model predicts for "
        "others."
    ),
    "patching": "Putting an activation from one run of the model into another run, to see what it carries.",
    "residual stream": "The vector of each token that every layer reads and adds to.",
    "head of interest": (
        "The attention head that the settings name or, without one, the head that the paper's methods "
        "together rank first. Figures outline it."
    ),
    "AUROC": (
        "The chance that a detector scores a positive case above a negative one: 0.5 is guessing, 1 is "
        "perfect."
    ),
    "interval": (
        "The numbers in parentheses: the range that holds the true value in 95 of 100 such studies. Shares "
        "of fewer than six units and means of fewer than eight have none; their number stands there."
    ),
    "grown": (
        "Put into the model on purpose: only the weights of a chosen place learned the paragraph, so the "
        "truth is known."
    ),
    "twin": "A model from the same training in which the paragraph grew in another place, or nowhere.",
    "family": "Claims of a topic: about one thing, on one sample. Verdicts allow for their number.",
}
