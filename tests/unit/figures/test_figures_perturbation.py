"""Figure 3, Table 2 and their example on small tables: the plotted numbers, the captions, readable labels."""

import docutils.core
import numpy as np
import pandas as pd
import pytest
from figure_labels import REPORT

from memloc.figures import fig3
from memloc.figures.parts.perturbation_example import example_ids
from memloc.figures.parts.style import subplots
from memloc.perturbation.effects import em_drops
from memloc.run.templates import fill
from memloc.settings.sections import sections
from memloc.statistics import uncertainty

N_PREFIX, N_TOKENS, N_WORDS = 10, 18, 40
FULL = N_TOKENS - N_PREFIX
SETTINGS = sections({"paragraph": {"prefix": N_PREFIX, "length": N_TOKENS}})
SPECIAL = [" ``", "*", "\n\n", "`_", "|x|", "\\"]  # text that could be markup


def perturbation_table(em, group="memorized", first_id=0, full=FULL):
    """Rows of paragraphs with em[paragraph][position][draw]; NLL is what is missing to a full match."""
    rows = []
    for number, by_position in enumerate(em):
        labels = {"id": first_id + number, "set": group}
        rows.append(labels | {"position": -1, "draw": 0, "token": -1, "em": full})
        for position, by_draw in enumerate(by_position):
            for draw, value in enumerate(by_draw):
                rows.append(labels | {"position": position, "draw": draw, "token": 20 + draw, "em": value})
    frame = pd.DataFrame(rows)
    return frame.assign(nll_original=(full - frame["em"]) / 2 + 0.25, redecoded=False)


@pytest.fixture
def tables():
    """Four memorized and five non-memorized paragraphs, two draws, of which the latter lose more."""
    rng = np.random.default_rng(0)
    memorized = rng.integers(5, FULL + 1, (4, N_PREFIX, 2))
    memorized[2, 3, 1] = 0
    memorized[1, 6, 0] = 1
    other = rng.integers(0, 5, (5, N_PREFIX, 2))
    words = [f" word{number}" for number in range(N_WORDS)]
    words[: len(SPECIAL)] = SPECIAL
    tokens = [rng.integers(0, N_WORDS, N_TOKENS) for _ in range(9)]
    return {
        "perturbation": pd.concat(
            [perturbation_table(memorized), perturbation_table(other, "non_memorized", first_id=4)]
        ),
        "perturbed_paragraphs": pd.DataFrame({"id": [], "tokens": []}),
        "paragraphs": pd.DataFrame({"id": range(9), "count": 1, "tokens": tokens, "text": ""}),
        "vocabulary": pd.DataFrame({"token": range(N_WORDS), "text": words}),
    }


def test_drop_is_taken_from_the_paragraphs_own_baseline():
    em = [[[3], [8]]]
    frame = pd.concat([perturbation_table(em), perturbation_table(em, first_id=1, full=9)])
    assert em_drops(frame)["em_drop"].tolist() == [5, 0, 6, 1]


def test_the_examples_that_come_first_lose_most_where_most_others_do():
    em = [
        [[8], [8], [8], [8]],  # 0: nothing is lost
        [[0], [8], [8], [8]],  # 1: most at 0
        [[8], [7], [8], [8]],  # 2: most at 1
        [[6], [2], [8], [8]],  # 3: most at 1
        [[8], [0], [0], [8]],  # 4: most at 1 and 2, of which the first counts
        [[0], [8], [8], [8]],  # 5: most at 0
    ]
    table = pd.concat([perturbation_table(em), perturbation_table([[[0]] * 4], "non_memorized", first_id=9)])
    assert example_ids({"perturbation": table}) == [2, 3, 4, 1, 5, 0]
    assert example_ids({"perturbation": table.sample(frac=1, random_state=1)}) == [2, 3, 4, 1, 5, 0]


def test_the_caption_counts_paragraphs_that_lose_nowhere_more_than_at_the_place_of_the_example(tables):
    lost = [{4: 8}, {2: 8, 4: 8}, {}, {4: 3, 6: 5}]  # tokens by place
    em = [[[FULL - own.get(at, 0)] for at in range(N_PREFIX)] for own in lost]
    others = perturbation_table([[[0]] * N_PREFIX], "non_memorized", first_id=4)
    tables["perturbation"] = pd.concat([perturbation_table(em), others])
    numbers = fig3.draw(tables, SETTINGS).numbers["example"]
    assert numbers["distance"] == N_PREFIX - 4 and (numbers["n_alike"], numbers["n_all"]) == (2, 4)


def test_captions_are_valid_markup_whatever_the_tokens_are(tables):
    for token in range(len(SPECIAL)):
        tables["paragraphs"]["tokens"] = [np.full(N_TOKENS, token)] * 9
        text = fill((REPORT / "fig3.rst").read_text(), fig3.draw(tables, SETTINGS).numbers)
        options = {"halt_level": 2, "report_level": 2}
        docutils.core.publish_string(text, writer="null", settings_overrides=options)


def test_no_band_is_beyond_the_largest_drop():
    drops = pd.DataFrame({0: [FULL] * 4 + [0] * 4, 1: [0] * 4 + [1] * 4})
    found = fig3._draw_mean(subplots(1, 2)[1], "memorized", drops)
    assert found["high"][0] == FULL > found["high"][1] and uncertainty.mean(drops[0]).high > FULL


def test_reference_mode_has_no_first_position(tables):
    tables["perturbation"] = tables["perturbation"].query("position != 0")
    drawing = fig3.draw(tables, SETTINGS)
    assert drawing.data.query("panel == 'b'")["position"].min() == 1
    assert drawing.numbers["example"]["n_positions"] == N_PREFIX - 1
