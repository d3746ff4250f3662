"""Words that tables hold: every category of every column, in one place. Imports nothing."""

COMPONENTS = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_gate")
ACTIVATIONS = ("q", "k", "v", "z", "pre", "post")
SET_NAMES = ("memorized", "non_memorized", "partly_11_29", "partly_30_49")
UNSEEN = "unseen"  # set of the controls that the model has not seen
METHODS = ("parameter_gradient", "activation_gradient", "rare_tokens", "patching")
COMBINED = "combined"
SAMPLES = ("part", "rest", "resample")
OBJECTIVES = ("unlearn", "edit")
ARMS = ("all", "top", "random", "head", "layer")
EDIT_TEXTS = ("memorized", "target", "control", "other", "held_out")
TEXTS = ("memorized", "non_memorized", "held_out")
DIRECTIONS = ("memorized_into_perturbed", "perturbed_into_memorized")
PLANT_KINDS = (
    "head_vo",
    "head_all",
    "two_heads",
    "neurons",
    "inj_1",
    "inj_0.1",
    "scattered_1",
    "scattered_0.1",
)
ENSEMBLE = "ensemble"  # mean rank of the localization methods that planted truth compares
NOT_IN_ENSEMBLE = ("weight_size", "random", "change")  # they know nothing of the paragraph, or the answer
CONTROLS = ("plant", "twin", "wrong")

UNPERTURBED = -1  # position and token of the row that holds a paragraph's baseline
