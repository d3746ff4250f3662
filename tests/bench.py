"""Times the stages next to plain implementations of the same work: `make bench`, or `make bench SIZE=small`.

The model is a GPT-Neo with random weights. The texts are random prefixes with its own greedy continuations,
which it therefore recites in full. For scoring and perturbation its attention is damped, so that one changed
prefix token diverts a continuation only sometimes, as with memorized paragraphs; patches of damped attention
would change next to nothing. The logits are spread, so that near-ties are as rare as in a trained model.

After a run of both sides, whose results must agree, the sides take turns, so that a machine that slows down
slows both. Where the plain side is slow, it does fewer items.
"""

import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import plain_decoding
import torch
import transformers
from jaxtyping import Int
from plain_gradients import nll_gradients_with_all_hooks
from plain_patching import SitePatching
from plain_unlearning import largest, objective, train
from torch import Tensor

from memloc.editing import steps
from memloc.editing.gradients import Gradients, nll_gradients
from memloc.editing.masks import top_weights
from memloc.localization import patching
from memloc.localization.parameter_gradients import component_scores
from memloc.model.loading import bridged
from memloc.model.pretrained import read_model
from memloc.model.subject import Subject
from memloc.perturbation import replaced_tokens
from memloc.perturbation.pairs import Pairs
from memloc.run.seeds import generator
from memloc.scoring.extraction import score_and_extract
from memloc.settings.editing import SPARSE_FRACTION
from memloc.settings.errors import validate
from memloc.tables.terms.perturbation import UNPERTURBED

SEED = 0
ATTENTION_SCALE, LOGIT_SCALE = 0.01, 10.0
FINITE_STEP = 0.02  # share of the way to the other activation, for finite differences
LEARNING_RATE = 1e-5
CONFIG = {"study": "bench", "data": {"source": "drawn"}, "model": {"source": "embedded"}}
Results = dict[str, np.ndarray]
Model = transformers.PreTrainedModel


class Size(NamedTuple):
    """Size of the model, that of GPT-Neo 125M, and of the work."""

    n_layers: int = 12
    n_heads: int = 12
    width: int = 768
    vocabulary: int = 50257
    length: int = 100  # tokens of a paragraph; half of them are its prefix
    repeats: int = 3  # timed runs of each side
    plain_batch: int = 50  # rows that the plain side decodes and scores at a time
    n_paragraphs: int = 64  # paragraphs that are scored
    n_perturbed: int = 4  # paragraphs whose prefix tokens are replaced in turn; the plain side: one
    n_pairs: int = 4  # pairs that are patched at every site
    plain_step: int = 7  # the plain side patches one in so many sites of a pair
    n_gradients: int = 50  # paragraphs of the parameter gradients
    n_controls: int = 10  # controls of the edited paragraph
    n_steps: int = 5  # steps of its edit


SIZES = {"full": Size(), "small": Size(12, 12, 768, 50257, 100, 1, 25, 16, 1, 1, 25, 8, 4, 2)}


class Stage(NamedTuple):
    """Two implementations of the same work; `both` are those of our items that the plain side does, too."""

    item: str
    n_ours: int
    ours: Callable[[], Results]
    n_plain: int
    plain: Callable[[], Results]
    both: slice = slice(None)
    tolerance: float = 1e-3  # largest difference that is allowed, relative to the largest value


class Bench:
    """The model's folder, that of the model with damped attention, and the texts that the latter recites."""

    @torch.no_grad()
    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.n_prefix = size, size.length // 2
        self.model, self.damped = folder / "model", folder / "damped"
        paragraph = {"length": size.length, "prefix": self.n_prefix}
        self.settings = validate(CONFIG | {"paragraph": paragraph}, "bench")
        torch.manual_seed(SEED)
        kinds = ["global" if layer % 2 == 0 else "local" for layer in range(size.n_layers)]
        shape = {"hidden_size": size.width, "num_layers": size.n_layers, "num_heads": size.n_heads}
        attention = {"attention_types": [[[kind], 1] for kind in kinds], "max_position_embeddings": 256}
        config = transformers.GPTNeoConfig(vocab_size=size.vocabulary, **shape, **attention)
        model = transformers.GPTNeoForCausalLM(config).eval()
        model.transformer.ln_f.weight.fill_(LOGIT_SCALE)
        model.save_pretrained(self.model)
        for layer in model.transformer.h:
            layer.attn.attention.out_proj.weight.mul_(ATTENTION_SCALE)
        model.save_pretrained(self.damped)
        n_rows = max(size.n_paragraphs, size.n_gradients, size.n_controls + 1)
        prefix = torch.randint(size.vocabulary, (n_rows, self.n_prefix))
        decode = partial(plain_decoding.generate, model, n_tokens=size.length - self.n_prefix)
        self.texts = torch.cat([prefix, torch.from_numpy(self.in_batches(decode, prefix))], dim=1)

    def in_batches(self, function: Callable[[Tensor], Tensor], rows: Tensor) -> np.ndarray:
        """Results of a plain implementation, a batch at a time."""
        return torch.cat([function(batch) for batch in rows.split(self.size.plain_batch)]).numpy()


def by_transformers(folder: Path) -> Model:
    """The model, loaded by transformers alone."""
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


def plain_scores(bench: Bench, tokens: Int[Tensor, "paragraph token"]) -> Callable[[], Results]:
    """Decode every prefix with a cache, and take the NLL from one more pass with full logits."""
    model, n_prefix = by_transformers(bench.damped), bench.n_prefix

    def em(batch: Tensor) -> Tensor:
        decoded = plain_decoding.generate(model, batch[:, :n_prefix], batch.shape[1] - n_prefix)
        return plain_decoding.matching(decoded, batch[:, n_prefix:])

    nll = partial(plain_decoding.mean_nll, model, n_prefix=n_prefix)
    return lambda: {"em": bench.in_batches(em, tokens), "nll": bench.in_batches(nll, tokens)}


def scoring(bench: Bench) -> Stage:
    """Exact match and NLL of paragraphs (paper 3.2); ours gives their probability under sampling, too."""
    tokens, n_prefix = bench.texts[: bench.size.n_paragraphs].clone(), bench.n_prefix
    # A replaced token each, so that exact matches range from none to all; the last keeps its own.
    places = torch.linspace(n_prefix, tokens.shape[1], len(tokens)).long()
    rows = range(len(tokens) - 1)
    tokens[rows, places[:-1]] = (tokens[rows, places[:-1]] + 1) % bench.size.vocabulary
    subject = Subject(read_model(bench.damped), n_prefix, 64)

    def ours() -> Results:
        found, _ = score_and_extract(subject, tokens, bench.settings.scores.margin_threshold)
        return {"em": found.em.numpy(), "nll": found.nll.numpy()}

    return Stage("paragraph", len(tokens), ours, len(tokens), plain_scores(bench, tokens))


def perturbation(bench: Bench) -> Stage:
    """Every prefix token replaced in turn (paper 4)."""
    tokens, n, vocabulary = bench.texts[: bench.size.n_perturbed], bench.n_prefix, bench.size.vocabulary
    how = bench.settings.perturbation
    texts = replaced_tokens.Texts(np.arange(len(tokens)), tokens, vocabulary)
    subject = Subject(read_model(bench.damped), n, 16)
    threshold = bench.settings.scores.margin_threshold

    def ours() -> Results:
        frame = replaced_tokens.perturb_prefixes(subject, texts, how, threshold, SEED)
        rows = frame[frame["position"] != UNPERTURBED].sort_values(["id", "position"])
        return {"em": rows["em"].to_numpy(), "nll": rows["nll_original"].to_numpy()}

    versions, random = tokens[:1].repeat(n, 1), generator(SEED, "perturbation", "0")
    (drawn,) = replaced_tokens.draw_replacements(tokens[0, :n].numpy(), vocabulary, 1, random)
    versions[range(n), range(n)] = torch.from_numpy(drawn)
    return Stage("perturbed prefix", len(tokens) * n, ours, n, plain_scores(bench, versions), slice(n))


def patching_of_heads(bench: Bench, exact: bool) -> Stage:
    """q, k and v of every head patched at the perturbed position (paper A.3), exactly or to first order.

    The plain side runs a full forward pass per site; to first order, it takes a finite difference.
    """
    size, memorized = bench.size, bench.texts[: bench.size.n_pairs]
    pair = torch.arange(len(memorized))
    position, impact = (2 * pair + 1) * bench.n_prefix // (2 * len(pair)), bench.n_prefix + pair % 10
    differs = torch.arange(size.length) >= impact[:, None]
    differs[pair, position] = True
    perturbed = torch.where(differs, (memorized + 1) % size.vocabulary, memorized)
    pairs = Pairs(pair.numpy(), memorized, perturbed, position, impact)
    subject = Subject(read_model(bench.model), bench.n_prefix, 64)
    by_site = patching.activation_patching if exact else patching.attribution_patching

    def ours() -> Results:
        frame = by_site(subject, pairs)
        places = frame.assign(component=frame["component"].map("qkv".index))
        ordered = places.sort_values(["direction", "id", "layer", "component", "head"])
        return {"nll_change": ordered["nll_change"].to_numpy()}

    sites = list(product(range(size.n_layers), "qkv", range(size.n_heads)))
    both, fraction = slice(0, len(sites), size.plain_step), 1.0 if exact else FINITE_STEP
    at = int(position[0]), int(impact[0])
    patches = SitePatching(by_transformers(bench.model), perturbed[:1], memorized[:1], *at, sites[both])
    plain = lambda: {"nll_change": np.array(patches.nll_changes(fraction)) / fraction}  # noqa: E731
    n_ours, tolerance = 2 * len(pair) * len(sites), 1e-3 if exact else 0.05
    return Stage("patched site", n_ours, ours, len(sites[both]), plain, both, tolerance)


def parameter_gradients(bench: Bench) -> Stage:
    """Gradient of the NLL with respect to every W_* weight (paper 5.1).

    The plain side runs one batch with full logits, and all hooks of TransformerLens.
    """
    tokens, n_prefix = bench.texts[: bench.size.n_gradients], bench.n_prefix
    subject = Subject(read_model(bench.model), n_prefix, 16)
    plain_side = Subject(by_transformers(bench.model), n_prefix)
    named = plain_side.weights  # before the bridge renames them

    def scores_of(gradients: Gradients) -> Results:
        return {"max_abs": component_scores(subject, gradients, "memorized")["max_abs"].to_numpy()}

    ours = partial(nll_gradients, subject, tokens)
    plain = partial(nll_gradients_with_all_hooks, bridged(plain_side).bridge, named, tokens, n_prefix)
    sides = (lambda: scores_of(ours())), (lambda: scores_of(plain()))
    return Stage("paragraph", len(tokens), sides[0], len(tokens), sides[1])


def moved(model: Model, edit: Callable[[Model], None]) -> Results:
    """Edit a copy, and return the norm of the change of each matrix."""
    edited = copy.deepcopy(model)
    edit(edited)
    matrices = Subject(model, 1).weights.items()
    changes = [edited.get_parameter(name).detach() - weight.detach() for name, weight in matrices]
    return {"moved": np.array([float(change.norm()) for change in changes])}


def editing_step(bench: Bench) -> Stage:
    """Sparse unlearning of one paragraph (paper 5.3): the preparation and the steps.

    The plain side is dense Adam with masked gradients; it runs the original model again at every step.
    """
    texts = bench.texts[:1], bench.texts[1 : bench.size.n_controls + 1]
    n_steps, n_prefix = bench.size.n_steps, bench.n_prefix
    how = bench.settings.editing.model_copy(update={"steps": n_steps, "fraction": SPARSE_FRACTION})
    recipe = steps.Recipe("unlearn", how)

    def ours(model: Model) -> None:
        subject = Subject(model, n_prefix, 16)
        origin = steps.origin_of(subject, *texts, recipe)
        movable = top_weights(origin.gradients, SPARSE_FRACTION)
        steps.optimise(subject, origin, movable, LEARNING_RATE, recipe)

    def plain(model: Model) -> None:
        train(model, objective(*texts, n_prefix), largest(SPARSE_FRACTION), LEARNING_RATE, n_steps)

    sides = partial(moved, read_model(bench.model), ours), partial(moved, by_transformers(bench.model), plain)
    return Stage("step", n_steps, sides[0], n_steps, sides[1], tolerance=0.02)


STAGES = {
    "scoring": scoring,
    "perturbation": perturbation,
    "patching": partial(patching_of_heads, exact=True),
    "attribution_patching": partial(patching_of_heads, exact=False),
    "parameter_gradients": parameter_gradients,
    "editing_step": editing_step,
}


def check(stage: Stage) -> None:
    """Results that both sides have must be equal up to the stage's tolerance, and whole numbers equal."""
    ours, plain = stage.ours(), stage.plain()
    for name in ours.keys() & plain.keys():
        found, true = ours[name][stage.both], plain[name]
        tolerance = 0 if np.issubdtype(true.dtype, np.integer) else stage.tolerance * np.abs(true).max()
        np.testing.assert_allclose(found, true, rtol=0, atol=tolerance, err_msg=name)


def seconds(work: Callable[[], Results]) -> float:
    """Time that the work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main(size: Size) -> None:
    """Print a row for every stage: seconds per item of both sides, and their ratio."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print("| stage | item | ours (s) | plain (s) | ratio |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(size, Path(folder))
        for name, prepare in STAGES.items():
            stage = prepare(bench)
            check(stage)
            rounds = [(seconds(stage.ours), seconds(stage.plain)) for _ in range(size.repeats)]
            ours, plain = map(statistics.median, zip(*rounds, strict=True))
            ours, plain = ours / stage.n_ours, plain / stage.n_plain
            print(f"| `{name}` | {stage.item} | {ours:.2g} | {plain:.2g} | {plain / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main(SIZES[sys.argv[1]])
