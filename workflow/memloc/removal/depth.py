"""How deep a removal goes: hidden states after it, patched into the original model layer by layer.

Where states of the model that never saw a paragraph raise its NLL in the original model, the original's own
states held the paragraph. The depth of a removal is the share of that rise that the states after the removal
cause: 0 if the paragraph is intact, 1 if it is as if never seen. Two trainings differ everywhere, so the test
is repeated with paragraphs that both models have seen: if their NLL rises, too, the score says nothing.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc.model.micro_batches import in_micro_batches
from memloc.model.partial_forward import recorded_calls, states_from
from memloc.scoring.paragraph_scores import scores_of_states

States = Float[Tensor, "paragraph layer continuation width"]


@torch.inference_mode()
def leaving_states(
    model: PreTrainedModel, tokens: Int[Tensor, "paragraph token"], n_prefix: int, micro_batch: int
) -> States:
    """Output of every layer at the positions that predict the continuation, on the CPU."""

    def of_rows(rows: Int[Tensor, "paragraph token"]) -> States:
        above = recorded_calls(model, rows)[1:]
        return torch.stack([call.residual[:, n_prefix - 1 :].cpu() for call in above], dim=1)

    return torch.cat(in_micro_batches(of_rows, micro_batch, tokens))


@torch.inference_mode()
def rises(
    model: PreTrainedModel,
    tokens: Int[Tensor, "paragraph token"],
    patched: States,
    n_prefix: int,
    micro_batch: int,
) -> Float[Tensor, "paragraph layer"]:
    """How far the NLL (nats per token) of every paragraph rises with the states of one layer patched."""

    def of_rows(rows: Int[Tensor, "paragraph token"], states: States) -> Float[Tensor, "paragraph layer"]:
        calls, true = recorded_calls(model, rows), rows[:, n_prefix:].to(model.device)

        def nll(above: int, entering: Float[Tensor, "row position width"]) -> Float[Tensor, "row"]:
            last = states_from(model, calls, above, entering)[:, n_prefix - 1 :]
            return scores_of_states(model, last, true).nll

        own, found = nll(len(calls) - 1, calls[-1].residual), []
        for above, call in enumerate(calls[1:], 1):
            before = call.residual[:, : n_prefix - 1]
            entering = torch.cat([before, states[:, above - 1].to(before)], dim=1)
            found.append(nll(above, entering) - own)
        return torch.stack(found, dim=1)

    return torch.cat(in_micro_batches(of_rows, micro_batch, tokens, patched))
