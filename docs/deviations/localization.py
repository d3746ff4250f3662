"""Deviations in gradients of weights and activations, and in attention to rare tokens (sections 5 and 6)."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy import stats
from torch import Tensor

from deviations.run import Run
from memloc.data.draws import draw
from memloc.data.paragraphs import attention_sample
from memloc.data.sets import without_controls
from memloc.editing.gradients import nll_gradients
from memloc.localization import rare_tokens
from memloc.localization.activation_gradients import activation_gradients
from memloc.localization.attention import prefix_attention
from memloc.localization.attention_tables import attention_array
from memloc.localization.contrastive import contrastive_attribution
from memloc.localization.head_profiles import correlation_with_others, value_gradient_profiles
from memloc.localization.head_ranking import parameter_gradient_scores
from memloc.localization.parameter_gradients import group_scores
from memloc.model.folded_norms import fold_norms
from memloc.model.head_groups import stored_head
from memloc.model.loading import boot_bridge, load_bridge, load_model
from memloc.model.pretrained import load_tokenizer
from memloc.run.seeds import generator
from memloc.scoring.decoding import continue_from_scores, first_decoded
from memloc.settings.published import REFERENCE_NLL_WEIGHT

WEIGHTS = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out")
SMALL = {"nll_weight": REFERENCE_NLL_WEIGHT}


def folded_weights(run: Run) -> str:
    """Gradients of weights into which the LayerNorms are folded."""
    model, (_, memorized) = load_model(run.folder), run.sample("memorized")
    fold_norms(model)
    gradients = nll_gradients(model, memorized, run.n_prefix, run.settings.contrastive.micro_batch)
    folded = group_scores(model, gradients, "memorized").astype({"head": "Int64"})
    found = run.table("parameter_gradients")
    both = found[found["group"] == "memorized"].merge(folded, on=["layer", "component", "head"])
    ratios = (both["max_abs_y"] / both["max_abs_x"]).groupby(both["component"], observed=True).mean()
    named = ", ".join(f"{name} x {ratios[name]:.2f}" for name in WEIGHTS)
    heads = [parameter_gradient_scores(frame, run.n_heads) for frame in (found, folded)]
    same = "same" if heads[0].idxmax() == heads[1].idxmax() else "another"
    return f"largest gradients of {named}; Kendall's tau of head ranks {_tau(*heads):.2f}, {same} first head"


def _tau(first: pd.Series, second: pd.Series) -> float:
    return float(stats.kendalltau(first, second).statistic)


def contrastive_scores(run: Run, **changed: float | bool) -> pd.DataFrame:
    """Rows of group `contrastive` of table `parameter_gradients`, with settings of `contrastive` changed."""
    how = run.settings.contrastive.model_copy(update=changed)
    memorized, others = (run.sample(name)[1] for name in ("memorized", "non_memorized"))
    model, n, n_prefix = load_model(run.folder), len(memorized), run.n_prefix
    first = nll_gradients(model, memorized, n_prefix, how.micro_batch)
    draws = draw([n], [[0]], np.random.default_rng(0), n_resamples=1)
    random = generator(run.seed, "contrastive")
    parts = [np.arange(n)]
    return contrastive_attribution(model, memorized, others, first, n_prefix, parts, draws, random, how)[0]


def summed_kl(run: Run) -> str:
    """The KL term of Figure 4, summed over positions."""
    norms, taus = _objective(run, "kl", {"reference": True})
    return f"norm of the KL term {norms}; tau with the memorized set's ranks {taus}"


def small_weight(run: Run) -> str:
    """The weight of the NLL term of Figure 4, alone and with a summed KL term."""
    norms, taus = _objective(run, "nll", SMALL)
    both = _objective(run, "nll", SMALL | {"reference": True})[1].rpartition(" ")[2]
    return f"norm of the NLL term {norms}; tau {taus} (with summed KL {both})"


def _objective(run: Run, term: str, changed: dict[str, float | bool]) -> tuple[str, str]:
    """Of the default and of the changed objective: norm of a term, and tau of the ranks of heads by it with
    those by the memorized paragraphs' gradient at the original weights."""
    found = run.table("parameter_gradients")
    memorized = parameter_gradient_scores(found, run.n_heads)
    norms, taus = [], []
    for frame in (found[found["group"] == "contrastive"], contrastive_scores(run, **changed)):
        norms.append(f"{np.linalg.norm(frame[f'{term}_term_norm'].astype(float)):.3f}")
        scores = parameter_gradient_scores(frame.assign(group="memorized"), run.n_heads)
        taus.append(f"{_tau(memorized, scores):.2f}")
    return ", then ".join(norms), ", then ".join(taus)


def first_token_loss(run: Run) -> str:
    """Opposition of the highlighted head in Figure 6, by the loss of all tokens and of the first one."""
    (layer, head), (ids, tokens) = run.head, run.sample("memorized")
    bridge = load_bridge(run.folder)
    how = run.settings.activation_gradients.model_copy(update={"reference": True})
    first = activation_gradients(bridge, tokens, ids, "memorized", run.n_prefix, how)
    opposition = []
    for frame in (run.table("activation_gradients"), first):
        likeness = correlation_with_others(value_gradient_profiles(frame, layer, run.n_prefix))
        mean = likeness.iloc[:, stored_head(head, likeness.shape[1], run.n_heads)].mean()
        opposition.append(f"{-mean:.3f}")
    return f"opposition of {_named(run)} to the other heads of its layer {', then '.join(opposition)}"


def _named(run: Run) -> str:
    return f"head {run.head[1]} of layer {run.head[0]}"


def every_paragraph(run: Run) -> str:
    """Correlations of Figure 7 with the attention of every seen paragraph."""
    seen = without_controls(run.sets).assign(sampled_rare_tokens=True)
    ids, tokens, unknown = attention_sample(run.paragraphs, seen, run.n_prefix)
    model, em = load_model(run.folder), run.em(ids)[unknown]
    tokens[unknown, run.n_prefix] = first_decoded(model, tokens[unknown], em, run.n_prefix, run.batch)
    bridge = boot_bridge(model, load_tokenizer(run.folder))
    attention = prefix_attention(bridge, tokens, run.n_prefix, run.batch)[..., :-1].numpy()
    found = _correlations(run, attention, ids, run.tokens(run.ids("memorized", "non_memorized")))
    n = run.sets["sampled_rare_tokens"].sum()
    return f"{_named(run)}, of {len(ids):,}, then {n:,} paragraphs: {_compared(found, _stored(run))}"


def generated_counts(run: Run) -> str:
    """Correlations of Figure 7 if tokens are counted in the model's own continuations."""
    table, sample = run.table("attention"), run.sets.loc[run.sets["sampled_rare_tokens"], "id"]
    ids, attention = attention_array(table[table["id"].isin(sample)])
    own = run.ids("memorized", "non_memorized")
    corpus, n_prefix = run.tokens(own), run.n_prefix
    corpus[:, n_prefix:] = continue_from_scores(run.inference, corpus, run.em(own), n_prefix, run.batch)
    found = _correlations(run, attention, ids, corpus)
    return f"{_named(run)}: {_compared(_stored(run), found)}"


def _correlations(
    run: Run,
    attention: Float[np.ndarray, "paragraph layer head position"],
    ids: Int[np.ndarray, "paragraph"],
    corpus: Int[Tensor, "paragraph token"],
) -> pd.Series:
    """The highlighted head's row of `rank_correlation`, with tokens counted in `corpus`."""
    counts = rare_tokens.unigram_counts(corpus.numpy(), len(run.table("vocabulary")))
    ranks = rare_tokens.prefix_ranks(run.tokens(ids)[:, : run.n_prefix].numpy(), counts)
    found = rare_tokens.rank_correlation(attention, ranks, 1, np.random.default_rng(0), quantiles=())
    return found.set_index(["layer", "head"]).loc[run.head]


def _stored(run: Run) -> pd.Series:
    return run.table("rare_token_correlation").set_index(["layer", "head"]).loc[run.head]


def _compared(text: pd.Series, code: pd.Series) -> str:
    kinds = {"correlation of sums": "pearson", "per occurrence": "pearson_mean"}
    return "; ".join(f"{words} {text[name]:.3f}, then {code[name]:.3f}" for words, name in kinds.items())
