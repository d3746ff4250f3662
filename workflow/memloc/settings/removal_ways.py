"""The one list of ways to remove recitation, and those among them that aim at no paragraph in particular.

`WAYS` (removal/registry.py) has their functions.
"""

NOTHING = "nothing"  # the model as it is, which every way is compared with
ARM_WAYS = ("top", "random", "all", "head")  # the paper's arms (5.3)
EDITS = (
    *ARM_WAYS,
    "gradient_ascent",
    "balanced_subnet",
    "neurons_integrated_gradients",
    "neurons_zero_out",
    "neurons_hard_concrete",
    "svd",
    "kfac",
)
DIVERSIONS = ("ngram_blocklist", "heads", "random_heads", "steering", "random_direction")
RETRAINED = "retrained"  # the model that never saw the paragraphs, which every way is compared with
WAY_NAMES = (*EDITS, *DIVERSIONS, RETRAINED)
LABELS = {
    NOTHING: "the model as it is",
    "top": "top gradients",
    "random": "random weights",
    "all": "all weights",
    "head": "weights of one head",
    "gradient_ascent": "gradient ascent",
    "balanced_subnet": "BalancedSubnet",
    "neurons_integrated_gradients": "neurons: integrated gradients",
    "neurons_zero_out": "neurons: zero-out",
    "neurons_hard_concrete": "neurons: HardConcrete",
    "svd": "small singular components",
    "kfac": "low curvature (K-FAC)",
    "ngram_blocklist": "n-gram blocklist",
    "heads": "first-ranked heads ablated",
    "random_heads": "random heads ablated",
    "steering": "steering",
    "random_direction": "random direction",
    RETRAINED: "retrained without them",
}
UNTARGETED = ("svd", "kfac")  # they see no paragraph to remove, and aim at all memories at once
JOINT_ONLY = (*UNTARGETED, RETRAINED)  # they do not remove one by one
# How a way removes a grown memory: told no place, told its place, or told another place.
GROWN_ARMS = FREE, PLACE, ELSEWHERE = ("free", "place", "elsewhere")
BITS = 4  # number of bits to which weights are rounded after a removal
# Ways that rank neurons: steps of integrated gradients; neurons that zero_out zeroes one by one.
INTEGRATION_STEPS, N_CANDIDATES = 10, 200
