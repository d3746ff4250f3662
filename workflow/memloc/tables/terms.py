"""Words that tables hold: every category of every column, in one place. Imports nothing."""

COMPONENTS = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_gate")
ACTIVATIONS = ("q", "k", "v", "z", "pre", "post")
SET_NAMES = ("memorized", "non_memorized", "partly_11_29", "partly_30_49")
UNSEEN = "unseen"  # set of the controls that the model has not seen
METHODS = ("parameter_gradient", "activation_gradient", "rare_tokens", "patching")
COMBINED = "combined"
SAMPLES = ("part", "rest", "resample")
OBJECTIVES = ("unlearn", "edit")
EDIT_TEXTS = ("memorized", "target", "control", "other", "held_out")
TEXTS = ("memorized", "non_memorized", "held_out")
DIRECTIONS = ("memorized_into_perturbed", "perturbed_into_memorized")
# By what each kind of place is scored, first the units that it is made of.
PLANT_GRANULARITIES = {
    "head_vo": ("head", "layer", "weight"),
    "head_all": ("head", "layer", "weight"),
    "two_heads": ("head", "weight"),
    "neurons": ("neuron", "layer", "weight"),
    "inj_1": ("neuron", "weight"),
    "inj_0.1": ("neuron", "weight"),
    "scattered_1": ("weight",),
    "scattered_0.1": ("weight",),
}
ENSEMBLE = "ensemble"  # mean rank of the localization methods that planted truth compares
NOT_IN_ENSEMBLE = ("weight_size", "random", "change")  # they know nothing of the paragraph, or the answer
CONTROLS = ("plant", "twin", "wrong")

UNPERTURBED = -1  # position and token of the row that holds a paragraph's baseline
