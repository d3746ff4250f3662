"""Scripts with settings that the stored study does not have."""

import copy
from contextlib import nullcontext

import pandas as pd
import pytest
import torch
import yaml
from jobs import ROOT, STORED, jobs, settings, stored_jobs
from made_tables import write_without
from plain_decoding import matching, mean_nll
from plain_runs import decode

from memloc.model.pretrained import read_model
from memloc.run.errors import InputError
from memloc.tables import storage
from memloc.tables.schemas import schema_of
from memloc.tables.terms.sets import PARTLY
from read_tables import read

N_PREFIX = 12


def changed(name, **sections):
    """A job with other values in its sections."""
    script, snakemake = stored_jobs()[name]
    other = copy.deepcopy(snakemake)
    for section, values in sections.items():
        other.params.settings[section] |= values
    return script, other


def test_a_token_before_the_prefix_is_before_everything_that_is_scored(run, study):
    """Scores and greedy continuations are those of a plain run after end-of-text."""
    for name in ("scores", "sets"):
        run(*changed(name, paragraph={"before": "end_of_text"}))
    tokens = read(study, "paragraphs").set_index("id")["tokens"]
    scores = read(study, "scores").set_index("id")
    model = read_model(study / "model")
    for row in read(study, "sets").dropna(subset=["continuation"]).itertuples():
        text = torch.tensor([[0, *tokens[row.id]]])
        stands, true = text[:, : N_PREFIX + 1], text[:, N_PREFIX + 1 :]
        greedy = decode(model, stands, true.shape[1])
        assert scores.loc[row.id, "nll"] == pytest.approx(
            float(mean_nll(model, text, N_PREFIX + 1)), abs=1e-4
        )
        assert scores.loc[row.id, "em"] == int(matching(greedy, true))
        assert list(row.continuation) == greedy[0].tolist()


def test_a_figure_does_without_a_column_that_it_does_not_use(run, study):
    """Older code wrote the table of scores."""
    script, snakemake = stored_jobs()["fig2"]
    path = study / "tables/scores.parquet"
    write_without("margin", read(study, "scores"), path, storage.provenance(path))
    run(script, snakemake)
    assert pd.read_csv(study / "figures/fig2.csv").equals(pd.read_csv(STORED / "figures/fig2.csv"))


def test_paragraphs_of_pairs_are_perturbed_too_and_change_no_sample(run, study):
    """A pair of a sampled and a partly memorized paragraph, and one of two that no sample has."""
    names, path = ("perturbation", "perturbed_paragraphs"), study / "tables/sets.parquet"
    before, sets = [read(study, name) for name in names], read(study, "sets").assign(pair=pd.NA)
    sets = sets.astype({"pair": "Int64"})
    before[0] = before[0].dropna(subset="set").reset_index(drop=True)
    kept = sets[sets["continuation"].notna()]
    of_memorized = kept[kept["set"] == "memorized"].sort_values("sampled")
    chosen = [*of_memorized["id"].iloc[[0, -1]], *kept.loc[kept["set"].isin(PARTLY), "id"].iloc[:2]]
    sets.loc[sets["id"].isin(chosen), "pair"] = sets["id"].map(dict(zip(chosen, [0, 1, 0, 1], strict=True)))
    storage.write(schema_of("sets"), sets, path, storage.provenance(path))
    run(*stored_jobs()["perturbation"])
    found = [read(study, name) for name in names]
    of_sample = found[0]["set"].notna()
    assert set(found[0].loc[~of_sample, "id"]) == {*chosen[:1], *chosen[2:]}
    for old, new in zip(before, [found[0][of_sample].reset_index(drop=True), *found[1:]], strict=True):
        pd.testing.assert_frame_equal(old, new, atol=1e-5, rtol=1e-3)  # stored by another processor
    rows = found[0].groupby("id").size()
    assert rows.nunique() == 1 and rows.iloc[0] == N_PREFIX + 1


def test_continuations_of_the_corpus_are_the_paragraphs_own(run, study):
    run(*changed("sets", sets={"continuation": "corpus"}))
    sets = read(study, "sets").dropna(subset=["continuation"])
    tokens = read(study, "paragraphs").set_index("id")["tokens"]
    assert {"memorized", "non_memorized"} <= set(sets["set"])
    for row in sets.itertuples():
        assert list(row.continuation) == list(tokens[row.id][N_PREFIX:])
    decoded = read(study, "near_verbatim").set_index("id")["continuation"]
    others = sets[sets["set"] == "non_memorized"]
    assert any(list(decoded[row.id]) != list(row.continuation) for row in others.itertuples())


def test_of_asked_kinds_alone_are_samples_and_pairs(run, study, tmp_path):
    """Of 9 memorized paragraphs 5 are recollections, which is too few, and then 6."""
    config, path = tmp_path / "config.yaml", study / "tables/kinds.parquet"
    config.write_text(yaml.safe_dump(settings(sets={"n_memorized": 9, "kinds": ["recollection"]})))
    script, snakemake = jobs(ROOT, config, "sets")["sets"]
    own, stored = (set(dict(each.input.items())) for each in (snakemake, stored_jobs()["sets"][1]))
    assert own - stored == {"kinds"}
    kinds, stamp = read(study, "kinds"), storage.provenance(path)
    for n in (5, 6):
        given = kinds["kind"].mask(kinds.index < n, "recollection")
        storage.write(schema_of("kinds"), kinds.assign(kind=given), path, stamp)
        said = "sets.kinds: 5 memorized paragraphs are of kind recollection, fewer than 6"
        with pytest.raises(InputError, match=said) if n == 5 else nullcontext():
            run(script, snakemake)
    sets = read(study, "sets").set_index("id")
    memorized = sets[sets["set"] == "memorized"]
    assert len(memorized) == 9 and set(memorized.index[memorized["sampled"]]) == {*kinds["id"][:6]}
    used = memorized["sampled_rare_tokens"] | memorized["pair"].notna()
    assert used.any() and memorized["sampled"][used].all()


def test_what_is_recited_is_in_no_pair_whatever_its_score_says(run, study):
    """Some of the paragraphs that are recited have the score of one that is not; all occur equally often."""
    scores, paragraphs = read(study, "scores"), read(study, "paragraphs")
    lower = (scores["em"] == N_PREFIX) & (scores["id"] % 2 == 0)
    often = paragraphs["continuation_count"].mask(paragraphs["count"] > 9, 60)
    made = {"scores": scores.assign(em=scores["em"].mask(lower, 3))}
    for name, frame in (made | {"paragraphs": paragraphs.assign(continuation_count=often)}).items():
        path = study / f"tables/{name}.parquet"
        storage.write(schema_of(name), frame, path, storage.provenance(path))
    run(*stored_jobs()["sets"])
    paired = read(study, "sets").dropna(subset=["pair"])
    assert len(paired) and not set(paired["id"]) & set(scores["id"][lower])


def test_where_nothing_is_recited_nothing_has_a_kind(run, study):
    script, snakemake = stored_jobs()["count_copies"]
    path = study / "tables/scores.parquet"
    scores = read(study, "scores").assign(em=0)
    storage.write(schema_of("scores"), scores, path, storage.provenance(path))
    run(script, snakemake)
    assert read(study, "kinds").empty and len(read(study, "near_copies")) == len(scores)
