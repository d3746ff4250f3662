"""Rows of a table against whole passes of a model with and without a part of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pandas as pd
import pytest

from memloc.model.subject import Subject
from memloc.scoring.held_out import Group
from memloc.scoring.paragraph_scores import teacher_forced


def assert_scores_are_those_of(
    rows: pd.DataFrame,
    subject: Subject,
    texts: dict[str, Group],
    applied: Callable[[], AbstractContextManager],
) -> None:
    """Scores of all texts within a context, and what they lose there."""
    for group, text in texts.items():
        own = rows[rows["group"] == group]
        whole = teacher_forced(subject, text.tokens)
        with applied():
            without = teacher_forced(subject, text.tokens)
        assert own["id"].tolist() == text.ids.tolist() and own["used"].tolist() == text.used.tolist()
        assert own["em"].tolist() == without.em.tolist()
        assert own["em_lost"].tolist() == (whole.em - without.em).tolist()
        assert own["nll"].tolist() == pytest.approx(without.nll.tolist(), abs=1e-4)
        assert own["nll_gained"].tolist() == pytest.approx((without.nll - whole.nll).tolist(), abs=1e-4)
