"""Kinds of places that paragraphs are planted in: the one list of their names.

`draw_place` (planting/places.py) says what they are, KIND_LABELS (figures/parts/planted.py) how figures show
them.
"""

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
