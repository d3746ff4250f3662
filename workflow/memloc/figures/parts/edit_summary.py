"""Shared by the figures on editing: names and colours of the arms."""

ARM_STYLES = {  # label and colour
    "all": ("all weights", "#333333"),
    "top": ("top gradients", "#d55e00"),
    "random": ("random weights", "#009e73"),
    "head": ("one head", "#8e44ad"),
    "other_head": ("another head", "#cc79a7"),
}
ARM_LABELS, ARM_COLOURS = ({arm: style[n] for arm, style in ARM_STYLES.items()} for n in (0, 1))
OBJECTIVE_LABELS = {"unlearn": "unlearning", "edit": "editing"}
