"""Record activations while a model runs, and take gradients with respect to them.

The caller chooses the forward pass (how many tokens, which positions are unembedded). `recording` attaches to
the modules themselves, so it records any call of `bridge.original_model` or of a part of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memloc.model.components import PROJECTIONS, family_of

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedModel

HEAD_COMPONENTS = ("q", "k", "v", "z")
COMPONENTS = (*HEAD_COMPONENTS, "pre", "post")
HOOKS = {
    "q": "attn.hook_q",  # before a rotary position embedding, where the model has one; see `hook_of`
    "k": "attn.hook_k",
    "v": "attn.hook_v",
    "z": "attn.hook_z",
    "pre": "mlp.hook_pre",  # input of the nonlinearity; in a gated MLP, output of the gate matrix
    "post": "mlp.hook_post",
    "pattern": "attn.hook_pattern",
    "resid_pre": "hook_resid_pre",
}
NORMED = "_normed"  # how a hook's name ends behind a norm over all heads together


class Site(NamedTuple):
    """Where an activation is read or replaced: a component of a layer.

    Shapes: q, k, v, z [paragraph, position, head, hidden] with as many heads as the model has for k and v;
    pre, post, resid_pre [paragraph, position, hidden]; pattern [paragraph, head, query, key].
    """

    layer: int
    component: str


def hook_of(bridge: "TransformerBridge", site: Site) -> str:
    """TransformerLens name of a site's hook.

    Queries and keys that pass a norm over all heads together are read after it. A change of one head before
    that norm would move all other heads, and the head's gradient would include theirs.
    """
    name = PROJECTIONS.get(site.component)
    normed = NORMED if name and family_of(bridge.original_model).components[name].norm else ""
    return f"blocks.{site.layer}.{HOOKS[site.component]}{normed}"


def sites(bridge: "TransformerBridge", components: Sequence[str]) -> list[Site]:
    """The components of each layer, layer by layer.

    Raises:
        ValueError: a component that the model does not have.
    """
    found = [Site(layer, component) for layer in range(bridge.cfg.n_layers) for component in components]
    for site in found:
        if site.component not in HOOKS or hook_of(bridge, site) not in bridge.hook_dict:
            raise ValueError(f"the model has no component {site.component!r} in layer {site.layer}")
    return found


@contextmanager
def recording(bridge: "TransformerBridge", sites: Sequence[Site]) -> Iterator[dict[Site, Tensor]]:
    """Within the context, every forward pass stores its activations at these sites in the dict.

    They are part of the autograd graph, so that `gradients` can differentiate with respect to them.
    """
    activations: dict[Site, Tensor] = {}

    def hook_for(site: Site):
        in_columns = hook_of(bridge, site).endswith(NORMED)

        def record(activation: Tensor, hook: object) -> Tensor:
            # The model must go on with this very view: its loss has no gradient with respect to another view.
            seen = activation.unflatten(-1, (-1, bridge.cfg.d_head)) if in_columns else activation
            activations[site] = seen
            return seen.flatten(-2) if in_columns else seen

        return record

    with bridge.hooks(fwd_hooks=[(hook_of(bridge, site), hook_for(site)) for site in sites]):
        yield activations


def gradients(loss: Float[Tensor, ""], activations: Mapping[Any, Tensor]) -> dict[Any, Tensor]:
    """Gradient of `loss` with respect to each recorded activation; no gradient of any weight is computed."""
    return dict(zip(activations, torch.autograd.grad(loss, list(activations.values())), strict=True))


def token_logits(
    model: "PreTrainedModel", tokens: Int[Tensor, "paragraph token"], position: Int[Tensor, "paragraph"]
) -> Float[Tensor, "paragraph vocabulary"]:
    """Logits that predict the token at `position` (1 or later) of each paragraph.

    Tokens from the largest position on are not run, and only the predicting positions are unembedded. Logits
    in half precision are raised to single precision.
    """
    hidden = model.base_model(tokens[:, : int(position.max())], use_cache=False).last_hidden_state
    predicting = hidden[torch.arange(len(tokens), device=hidden.device), position - 1]
    logits = model.get_output_embeddings()(predicting)
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
