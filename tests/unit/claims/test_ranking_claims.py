"""Claims on the ranking of heads, on made-up samples whose verdicts are known."""

import numpy as np
import pandas as pd
import pytest

from memloc.claims.estimators import ranking
from memloc.claims.evaluate import evaluate
from memloc.claims.registry import topics
from memloc.data.draws import draw, split
from memloc.localization import head_ranking, head_scores
from memloc.settings.sections import sections
from memloc.statistics import uncertainty
from memloc.tables.terms.head_ranking import PAPER_METHODS

SETTINGS = sections({"paragraph": {"prefix": 50, "length": 100}})
ABOUT = {"model": "any", "data": "embedded"}
GPT_NEO = {"model": "EleutherAI/gpt-neo-125m", "data": "release"}
HEADS = pd.MultiIndex.from_product([range(2), range(4)], names=["layer", "head"])
AGREE, LEADS, MOST = "methods_agree", "one_head_leads", "most_methods_rank_one_head_first"


def sampled(truth, noise, n_parts=10, n_resamples=40, seed=0):
    """Samples of every method's scores, which are those of `truth` [layer, head] by method and noise."""
    rng = np.random.default_rng(seed)
    kinds = {"part": n_parts, "rest": n_parts, "resample": n_resamples}
    keys = pd.DataFrame([(kind, number) for kind, n in kinds.items() for number in range(n)])
    scores = {
        method: truth[method] + noise * rng.normal(size=(len(keys), *truth[method].shape))
        for method in PAPER_METHODS
    }
    return head_scores.Sampled(keys.set_axis(["sample", "number"], axis=1), scores)


def ranked(truth):
    return head_ranking.rank_heads({m: pd.Series(truth[m].ravel(), HEADS) for m in PAPER_METHODS})


def judged(truth, noise=0.1, about=ABOUT, **options):
    ranks, whole = head_ranking.sample_ranks(sampled(truth, noise, **options)), ranked(truth)
    agreement = head_ranking.agreement(whole, ranks)
    tables = {"head_rank_samples": ranks, "ranking_agreement": agreement, "head_ranking": whole}
    return evaluate(topics()["ranking"], tables, SETTINGS, about).set_index("id")


def same(scores):
    return dict.fromkeys(PAPER_METHODS, np.array(scores, float))


CLEAR = [[1, 2, 3, 4], [5, 6, 20, 7]]


def test_methods_that_rank_alike_agree_on_one_head():
    found = judged(same(CLEAR))
    assert (found.loc[[AGREE, LEADS, MOST], "verdict"] == "holds").all()
    assert 0 < found.loc[AGREE, "low"] < found.loc[AGREE, "value"] < 1 and found.loc[AGREE, "n"] == 999
    assert found.loc[LEADS, "value"] == pytest.approx(1)
    assert found.loc[MOST, "value"] == 1
    published = judged(same(CLEAR), about=GPT_NEO).loc["published_head_leads"]
    assert published["verdict"] == "holds"


def test_methods_that_contradict_each_other_do_not_agree():
    truth = same(CLEAR)
    truth |= {method: -truth[method] for method in PAPER_METHODS[::2]}
    found = judged(truth)
    assert found.loc[AGREE, "verdict"] == "does not hold"
    assert found.loc[MOST, "verdict"] != "holds"


def test_methods_that_rank_the_same_layers_first_do_not_agree_on_heads():
    """Their tau is above zero all the same: the four heads of layer 1 come first by every method."""
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(4.0), (len(PAPER_METHODS), 2, 1)), axis=2)
    truth = {method: order + [[0], [10]] for method, order in zip(PAPER_METHODS, orders, strict=True)}
    whole, ranks = ranked(truth), head_ranking.sample_ranks(sampled(truth, 0.1))
    agreement = head_ranking.agreement(whole, ranks)
    tables = {"head_rank_samples": ranks, "ranking_agreement": agreement, "head_ranking": whole}
    assert agreement.query("method_a != 'combined' and method_b != 'combined'")["kendall"].mean() > 0.4
    found = ranking.methods_agree(tables, SETTINGS)
    assert found.low < 0
    tau = agreement.query("method_a != 'combined' and method_b != 'combined'")["kendall"].mean()
    # By chance, the 16 of 28 pairs that lie in two layers agree, and half of the others.
    assert found.value == pytest.approx(tau - 16 / 28, abs=0.02) and found.low < found.value < found.high


def test_two_equal_heads_decide_nothing():
    assert judged(same([[9, 1, 2, 3], [9, 4, 5, 6]]), noise=0.3).loc[LEADS, "verdict"] == "undecided"


def test_a_head_leads_only_if_it_leads_every_other_head():
    """The rest of every part names a rival that is weak in that part: over it alone, the lead is large."""
    rows = []
    for number in range(10):
        weak, strong = (1, 2) if number % 2 else (2, 1)
        part = [0, weak, strong] if number % 3 else [strong, 0, weak]
        for kind, order in (("rest", [0, weak, strong]), ("part", part)):
            order = [*order, *range(3, 8)]
            ranks = np.argsort(order) + 1
            if kind == "part" and number % 3:
                ranks[weak], ranks[strong] = 8, 2
            rows += [
                (kind, number, method, *head, rank)
                for method in [*PAPER_METHODS, "combined"]
                for head, rank in zip(HEADS, ranks, strict=True)
            ]
    columns = ["sample", "number", "method", "layer", "head", "rank"]
    tables = {"head_rank_samples": pd.DataFrame(rows, columns=columns), "head_ranking": ranked(same(CLEAR))}
    found = ranking.first_head_leads(tables, SETTINGS)
    judging = tables["head_rank_samples"].query("sample == 'part' and method == 'combined' and layer == 0")
    ranks = judging.pivot(index="number", columns="head", values="rank")
    leads = [uncertainty.mean(ranks[other] - ranks[0]) for other in (1, 2)]
    assert found.low == pytest.approx(min(lead.low for lead in leads)) and found.low < found.value
    assert min(lead.value for lead in leads) < found.value


def own_noise(seed):
    return sampled(same(np.zeros((2, 4))), 1.0, n_resamples=1, seed=seed)


def shared_noise(seed):
    """50 paragraphs tell all methods the same, each in parts of its own: most choose by one method and judge
    by another."""
    rng, scores = np.random.default_rng(seed), {}
    of_paragraphs = rng.normal(size=(50, 8))
    for method in PAPER_METHODS:
        draws = draw([1] * 50, split(50, rng), rng, n_resamples=1)
        scores[method] = (draws.weights @ of_paragraphs).reshape(-1, 2, 4)
    return head_scores.Sampled(draws.keys, scores)


@pytest.mark.parametrize("noise", [own_noise, shared_noise])
def test_noise_alone_makes_no_leading_head(noise):
    """The head that is first by chance is first elsewhere no more often than in 2.5 % of studies."""
    leads, most = 0, 0
    for seed in range(60):
        ranks = head_ranking.sample_ranks(noise(seed))
        tables = {"head_rank_samples": ranks, "head_ranking": ranked(same(CLEAR))}
        leads += ranking.first_head_leads(tables, SETTINGS).low > 0
        most += ranking.methods_that_rank_it_first(tables, SETTINGS).low > 0.5
    assert leads <= 4 and most <= 4


def test_of_heads_that_no_paragraph_tells_apart_none_is_first():
    """The lowest of them is put first in every part, by a place, by all methods."""
    found = judged(same(np.zeros((2, 4))), noise=0, about=GPT_NEO)
    first = found.loc[[LEADS, MOST, "published_head_leads"]]
    assert set(first["verdict"]) == {"undecided"}
    assert set(first["reason"]) == {"8 heads share the first place"}
    assert found.loc[AGREE, "verdict"] == "not applicable"
    apart = judged(same([[9, 1, 2, 3], [9, 4, 5, 6]]), noise=0)
    assert set(apart.loc[[LEADS, MOST], "reason"]) == {"2 heads share the first place"}


def test_the_head_that_methods_are_asked_about_is_found_outside_of_the_part():
    """In every part all methods rank another head first than outside of it."""
    made, inside = sampled(same(CLEAR), 0.01), np.array([[20, 2, 3, 4], [5, 6, 1, 7]], float)
    is_part = (made.keys["sample"] == "part").to_numpy()
    scores = {name: np.where(is_part[:, None, None], inside, own) for name, own in made.scores.items()}
    shares = []
    for samples in (made._replace(scores=scores), made):
        tables = {
            "head_rank_samples": head_ranking.sample_ranks(samples),
            "head_ranking": ranked(same(CLEAR)),
        }
        shares.append(ranking.methods_that_rank_it_first(tables, SETTINGS).value)
    assert shares == [0, 1]


def test_half_of_the_methods_are_not_most():
    truth = same(CLEAR)
    for method in PAPER_METHODS[:2]:
        truth[method] = np.array([[30.0, 2, 3, 4], [5, 6, 20, 7]])
    assert judged(truth, noise=0.01).loc[MOST, "verdict"] == "does not hold"


def test_a_published_head_that_is_not_first_does_not_lead():
    found = judged(same([[1, 2, 30, 4], [5, 6, 20, 7]]), about=GPT_NEO)
    assert found.loc["published_head_leads", "verdict"] == "does not hold"
    assert found.loc[LEADS, "verdict"] == "holds"


@pytest.mark.parametrize("n_parts", [1, 2, 5])
def test_few_parts_decide_nothing(n_parts):
    found = judged(same(CLEAR), n_parts=n_parts)
    assert (found.loc[[AGREE, LEADS, MOST], "verdict"] == "undecided").all()


def test_one_paragraph_is_not_judged():
    ranks = head_ranking.sample_ranks(sampled(same(CLEAR), 0.1, n_parts=1))
    tables = {"head_rank_samples": ranks[ranks["sample"] != "rest"], "ranking_agreement": None}
    found = evaluate(topics()["ranking"], tables, SETTINGS, ABOUT)
    assert (found["verdict"] == "not applicable").all()
