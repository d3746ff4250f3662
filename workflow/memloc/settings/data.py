"""Settings: section `data`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from memloc.settings.base import Address, NonNegative, NoTruth, Positive, Section, Sha256

ARRAY_FILE = ".npy"  # ending of files with one array; other files hold several, by name


Vocabulary = Annotated[int, Field(ge=300, le=65000), NoTruth]


class CodeData(Section):
    """Real files, each once: code of an installed package, or the files of a folder of yours."""

    source: Literal["code"] = Field(description="Chooses this source.")
    package: str = Field(
        "transformers",
        description="Installed package, as Python imports it, whose files are read, never imported.",
    )
    folder: str | None = Field(None, description="Instead of a package: a folder of UTF-8 text.")
    patterns: list[str] = Field(
        ["**/*.py"], min_length=1, description="Files below the package or folder that are its text (globs)."
    )
    containing: str | None = Field(None, description="Only files that hold this text.")
    megabytes: float = Field(
        3.4, gt=0, description="Text that is drawn from these files, held-out files included."
    )
    held_out: float = Field(
        0.1, ge=0, lt=1, description="Share of the drawn files that no model is trained on."
    )
    n_paragraphs: Positive | None = Field(
        None, description="Paragraphs of the training text that are scored, drawn beforehand; null: all."
    )
    vocabulary: Vocabulary = Field(
        4096,
        description="Size of the byte-level BPE vocabulary trained on the training text (a fine-tuned model "
        "has its own).",
    )


class DrawnData(Section):
    """Paragraphs from the docstrings of installed packages, repeated a known number of times."""

    source: Literal["drawn"] = Field(description="Chooses this source.")
    packages: list[str] = Field(
        ["scipy", "pandas", "numpy", "matplotlib", "networkx"],
        min_length=1,
        description="Installed packages, as Python imports them, whose docstrings are the text.",
    )
    vocabulary: Vocabulary = Field(
        4096,
        description="Size of the byte-level BPE vocabulary that is trained on the text (a fine-tuned model "
        "has its own).",
    )
    n_repeated: Positive = Field(
        280, description="Paragraphs that occur more than once in the training stream."
    )
    n_once: Positive = Field(
        900, description="Paragraphs that occur exactly once, with a continuation of their own."
    )
    n_unseen: NonNegative = Field(
        400,
        description="Paragraphs that are not in the training stream and share no run of 13 tokens with it, "
        "from the same packages in the same shares. They change neither the stream nor any other set.",
    )
    min_repeats: Annotated[int, Field(ge=2), NoTruth] = Field(
        4, description="Fewest repeats; the number of repeats is log-uniform."
    )
    max_repeats: Annotated[int, Field(ge=2), NoTruth] = Field(24, description="Most repeats.")
    replaced: list[Literal[1, 2, 5, 10, 20, 50]] = Field(
        [],
        description="Per cent of a paragraph's tokens that random ones replace in its copies, anew in each. "
        "Repeated paragraphs are shared out among 0 and these; one copy, drawn at random, stays exact.",
    )

    @property
    def n_paragraphs(self) -> Positive:
        """Paragraphs of every kind, which are numbered from 0."""
        return self.n_repeated + self.n_once + self.n_unseen

    @model_validator(mode="after")
    def _repeats_are_ordered(self) -> "DrawnData":
        if self.min_repeats > self.max_repeats:
            raise ValueError("min_repeats must not exceed max_repeats")
        return self


# The hub's repository, and its commit, with GPT-2's tokenizer, which made the published paragraphs.
GPT2_TOKENIZER = {
    "id": "openai-community/gpt2",
    "revision": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
}


class Retokenize(Section):
    """The published paragraphs in the tokens of a model whose vocabulary is not GPT-2's."""

    length: Positive = Field(
        150,
        description="Tokens (GPT-2's) of the published paragraphs whose text is cut anew: 100, 150, .., 500.",
    )
    folder: str | None = Field(
        None, description="Folder with GPT-2's tokenizer and config.json, where no hub can be reached."
    )


class ReleaseData(Section):
    """The published Pile subset of Carlini et al. (2022)."""

    source: Literal["release"] = Field(description="Chooses this source.")
    location: Address = Field(
        "https://github.com/ethz-spylab/lm_memorization_data/releases/download/v1.0/data.zip",
        description="Address (or mirror) of the archive, or a local archive or folder that holds its files.",
    )
    checksums: dict[Annotated[str, Field(pattern=r"^(prompts|counts)_\d+\.npy$")], Sha256] = Field(
        {}, description="SHA-256 of prompts_{length}.npy and counts_{length}.npy, where you know them."
    )
    retokenize: Retokenize | None = Field(
        None, description="Cut the published text anew, for a model with another vocabulary."
    )


class _Files(Section):
    """Files of this machine, or addresses that are downloaded once."""

    files: list[Address]
    checksums: dict[str, Sha256] = Field(
        {}, description="SHA-256 of files that are downloaded, by the last part of their address."
    )

    @property
    def addresses(self) -> list[str]:
        """Files that are addresses."""
        return [name for name in (*self.files, *getattr(self, "unseen", ())) if "://" in name]

    @model_validator(mode="after")
    def _checksums_are_of_downloads(self) -> "_Files":
        names = {address.rpartition("/")[2] for address in self.addresses}
        if unknown := sorted(set(self.checksums) - names):
            raise ValueError(f"checksums: no address ends in {', '.join(unknown)}")
        return self


class TextData(_Files):
    """Your own text: cut into paragraphs, whose repeats in it are counted."""

    source: Literal["text"] = Field(description="Chooses this source.")
    files: list[Address] = Field(
        min_length=1,
        description="Plain text, perhaps compressed (.gz); files with a document a row: .jsonl, .jsonl.gz, "
        ".jsonl.zst, .json.gz (lines of JSON, as in Dolma) or .parquet; globs; addresses; folders, such as a "
        "dataset of the Hugging Face hub, which give all .txt, .txt.gz and files of rows below them, or, as "
        "folders of sources, which hold none, all text.",
    )
    field: str = Field("text", description="Key (.jsonl) or column (.parquet) that holds the text.")
    encoding: str = Field("utf-8", description="Encoding of plain text, such as latin-1.")
    unseen: list[Address] = Field(
        [],
        description="Files, as in `files`, of text that the model cannot have seen: `recited` tells how much "
        "of it comes out in any case.",
    )
    counts: str | None = Field(
        None,
        description="Key or column that says how often the model saw a document, such as Hubble's "
        "`duplicates`. Each document is then one paragraph, its first tokens. Documents with a count "
        "of 0 are unseen; those that share a run of 13 tokens with the others are left out.",
    )

    @model_validator(mode="after")
    def _keys_go_together(self) -> "TextData":
        if self.counts and self.unseen:
            raise ValueError("with counts, unseen text has a count of 0: leave out unseen")
        return self


class TokenData(_Files):
    """Paragraphs as token ids of the model, such as published lists of memorized sequences."""

    source: Literal["tokens"] = Field(description="Chooses this source.")
    files: list[Address] = Field(
        min_length=1,
        description="Files, or their addresses, that end in .npy (not pickled), .parquet or .jsonl, "
        "with a row per paragraph. Several lie side by side, such as prefixes and continuations.",
    )
    names: list[str] = Field(
        ["tokens"],
        min_length=1,
        description="Columns (.parquet, .jsonl) of each file that hold tokens; several lie side by side.",
    )
