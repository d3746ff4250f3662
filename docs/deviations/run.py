"""A finished study with its trained model."""

from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import PreTrainedModel

from memloc import open_study
from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.localization.highlight import highlighted_head
from memloc.model.loading import load_for_inference
from memloc.settings.study import Settings


class Run:
    """Settings, tables, samples and model of a study whose results lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._study, self.folder = open_study(folder), folder / "model"
        self.settings = Settings.model_validate(self._study.settings)
        self.n_prefix, self.seed = self.settings.paragraph.prefix, self.settings.seed
        self.batch = self.settings.scores.micro_batch

    def table(self, name: str) -> pd.DataFrame:
        """One of the study's tables."""
        return self._study.table(name)

    @cached_property
    def paragraphs(self) -> pd.DataFrame:
        """Table `paragraphs`."""
        return self.table("paragraphs")

    @cached_property
    def sets(self) -> pd.DataFrame:
        """Table `sets`."""
        return self.table("sets")

    @cached_property
    def head(self) -> tuple[int, int]:
        """Layer and number of the head that figures point at."""
        return highlighted_head({"head_ranking": self.table("head_ranking")}, self.settings)

    @cached_property
    def n_heads(self) -> int:
        """Query heads of a layer."""
        return self.table("attention")["head"].nunique()

    @cached_property
    def inference(self) -> PreTrainedModel:
        """The model for passes without gradients."""
        return load_for_inference(self.folder)

    def ids(self, *sets: str) -> pd.Series:
        """Paragraphs of sets, sampled or not."""
        return self.sets.loc[self.sets["set"].isin(sets), "id"]

    def tokens(self, ids: pd.Series | np.ndarray) -> Int[Tensor, "paragraph token"]:
        """True tokens of paragraphs."""
        return token_tensor(self.paragraphs.set_index("id")["tokens"].loc[ids])

    def em(self, ids: pd.Series | np.ndarray) -> Int[Tensor, "paragraph"]:
        """Exact matches of paragraphs."""
        return torch.tensor(self.table("scores").set_index("id")["em"].loc[ids].to_numpy())

    def sample(self, name: str) -> tuple[Int[np.ndarray, "paragraph"], Int[Tensor, "paragraph token"]]:
        """Ids and tokens of the paragraphs of a set that analyses use."""
        return sampled_tokens(self.paragraphs, self.sets, name, self.n_prefix)
