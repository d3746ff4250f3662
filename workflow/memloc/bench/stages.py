"""Stages without gradients of weights, next to straightforward implementations."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from memloc.bench.measure import Prepare, Results
from memloc.bench.subject import Bench, Comparison, Stage, damp_attention
from memloc.localization import patching
from memloc.model.loading import load_for_inference
from memloc.perturbation import replaced_tokens
from memloc.perturbation.pairs import Pairs
from memloc.perturbation.replaced_tokens import Texts
from memloc.run.seeds import generator
from memloc.scoring.extraction import score_and_extract
from memloc.straightforward import decoding
from memloc.straightforward.patching import SitePatching
from memloc.tables.terms.perturbation import UNPERTURBED

FINITE_STEP = 0.02  # share of the way to the other activation, for finite differences


def diverted(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Int[Tensor, "paragraph token"]:
    """The texts, with a token replaced so that exact matches range from none to all; the last keep theirs."""
    tokens, n_left = own[: bench.sizes.n_paragraphs].clone(), bench.n_tokens - bench.n_prefix
    places = bench.n_prefix + (torch.arange(len(tokens)) * (n_left + 1)) // max(len(tokens) - 1, 1)
    rows = (places < bench.n_tokens).nonzero().squeeze(1)
    tokens[rows, places[rows]] = (tokens[rows, places[rows]] + 1) % bench.sizes.vocabulary
    return tokens


def plain_scores(bench: Bench, rows: Callable[[], Int[Tensor, "row token"]]) -> Prepare:
    """Decode every prefix with a cache, and take the NLL from one more pass with full logits."""

    def prepare() -> Callable[[], Results]:
        model, tokens, n_prefix = damp_attention(bench.plain_model()), rows(), bench.n_prefix

        def em(batch: Tensor) -> Tensor:
            decoded = decoding.generate(model, batch[:, :n_prefix], bench.n_tokens - n_prefix)
            return decoding.matching(decoded, batch[:, n_prefix:])

        nll = partial(decoding.mean_nll, model, n_prefix=n_prefix)
        return lambda: {"em": bench.in_batches(em, tokens), "nll": bench.in_batches(nll, tokens)}

    return prepare


def scores(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Comparison:
    """Exact match and NLL of paragraphs (paper 3.2), with their probability under sampling."""
    tokens = diverted(bench, own)

    def prepare() -> Callable[[], Results]:
        model, how = bench.reciting_model(), (bench.n_prefix, bench.settings.scores)

        def work() -> Results:
            found, _probabilities = score_and_extract(model, tokens, *how)
            return {"em": found.em.numpy(), "nll": found.nll.numpy()}

        return work

    plain = plain_scores(bench, lambda: tokens)
    return Comparison("paragraph", plain, len(tokens), slice(None), {"scoring": Stage(prepare, len(tokens))})


def perturbations(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Comparison:
    """Every prefix token replaced in turn (paper 4)."""
    tokens, n_prefix = own[: bench.sizes.n_perturbed], bench.n_prefix

    def versions() -> Int[Tensor, "row token"]:
        """The perturbed versions of the first paragraph, made as section 4 of the paper says."""
        rows = tokens[:1].repeat(n_prefix, 1)
        random = generator(bench.seed, "perturbation", "0")
        prefix, vocabulary = rows[0, :n_prefix].numpy(), bench.sizes.vocabulary
        (drawn,) = replaced_tokens.draw_replacements(prefix, vocabulary, 1, random)
        rows[range(n_prefix), range(n_prefix)] = torch.from_numpy(drawn)
        return rows

    stages = {
        f"perturbation_{name}": Stage(partial(_perturb, bench, tokens, name == "nll"), len(tokens) * n_prefix)
        for name in ("em", "nll")
    }
    return Comparison("perturbed prefix", plain_scores(bench, versions), n_prefix, slice(n_prefix), stages)


def _perturb(bench: Bench, tokens: Int[Tensor, "paragraph token"], nll: bool) -> Callable[[], Results]:
    """Perturb every prefix token; with `nll`, score the NLL, too, else the exact match alone."""
    model = bench.reciting_model()
    perturbation = bench.settings.perturbation.model_copy(update={"nll": nll})
    scoring = bench.settings.scores.model_copy(update={"micro_batch": perturbation.micro_batch})
    texts = Texts(np.arange(len(tokens)), tokens, bench.n_prefix, bench.sizes.vocabulary)

    def work() -> Results:
        frame = replaced_tokens.perturb_prefixes(model, texts, perturbation, scoring, bench.seed)
        rows = frame[frame["position"] != UNPERTURBED].sort_values(["id", "position"])
        losses = {"nll": rows["nll_original"].to_numpy()} if nll else {}
        return {"em": rows["em"].to_numpy(), **losses}

    return work


def pairs(bench: Bench, own: Int[Tensor, "paragraph token"]) -> Pairs:
    """Texts and perturbed versions, which differ in one prefix token and from an impact position on.

    The replaced positions are spread over the prefix.
    """
    memorized = own[: bench.sizes.n_pairs]
    row = torch.arange(len(memorized))
    position = (2 * row + 1) * bench.n_prefix // (2 * len(memorized))
    impact = bench.n_prefix + row % 10
    perturbed = memorized.clone()
    perturbed[row, position] = (perturbed[row, position] + 1) % bench.sizes.vocabulary
    for number, start in enumerate(impact.tolist()):
        perturbed[number, start:] = (perturbed[number, start:] + 1) % bench.sizes.vocabulary
    return Pairs(row.numpy(), memorized, perturbed, position, impact)


def patched_sites(bench: Bench) -> list[tuple[int, str, int]]:
    """Layer, component and head of every patch of one paragraph, as tables order them."""
    return list(product(range(bench.sizes.n_layers), "qkv", range(bench.sizes.n_heads)))


def by_site(frame: Any) -> Results:
    """NLL changes of a table of patches, by direction, pair, layer, component and head."""
    places = frame.assign(component=frame["component"].map("qkv".index))
    ordered = places.sort_values(["direction", "id", "layer", "component", "head"])
    return {"nll_change": ordered["nll_change"].to_numpy()}


def plain_patching(bench: Bench, together: Pairs, fraction: float) -> Prepare:
    """Patch some sites of the first pair, memorized into perturbed, by a full forward pass each."""

    def prepare() -> Callable[[], Results]:
        clean, source = together.perturbed[:1], together.memorized[:1]
        at = int(together.perturbed_position[0]), int(together.impact_position[0])
        sites = patched_sites(bench)[:: bench.sizes.patched_plain_step]
        patches = SitePatching(bench.plain_model(), clean, source, *at, sites)
        return lambda: {"nll_change": np.array(patches.nll_changes(fraction)) / fraction}

    return prepare


def patching_of_every_head(bench: Bench, own: Int[Tensor, "paragraph token"], exact: bool) -> Comparison:
    """Patch q, k and v of every head at the perturbed position (paper A.3), exactly or to first order."""
    together = pairs(bench, own)
    n_items, step = 2 * len(together.ids) * len(patched_sites(bench)), bench.sizes.patched_plain_step

    def prepare() -> Callable[[], Results]:
        model, micro_batch = load_for_inference(bench.folder), bench.settings.patching.micro_batch
        if exact:
            return lambda: by_site(patching.activation_patching(model, together, micro_batch))
        return lambda: by_site(patching.attribution_patching(model, together))

    chosen = np.arange(0, len(patched_sites(bench)), step)
    plain = plain_patching(bench, together, 1.0 if exact else FINITE_STEP)
    stages = {"patching" if exact else "attribution_patching": Stage(prepare, n_items)}
    return Comparison("patched site", plain, len(chosen), chosen, stages)
