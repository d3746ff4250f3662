"""What the page holds of the stored study is what it held when `tests/rules/store.py` stored it."""

import base64
from pathlib import Path

import numpy as np
from drawn import assert_stored, rounded

from memloc.explorer import maps, tokens
from memloc.explorer.index import index_of
from memloc.explorer.json_values import described
from memloc.settings.sections import sections

STORED = Path(__file__).with_name("contents.json")
SETTINGS = sections({"highlight": None, "paragraph": {"length": 24, "prefix": 12}})
INDEX = (
    "cloud",
    "example",
    "interest",
    "n_heads",
    "n_layers",
    "n_paragraphs",
    "n_prefix",
    "n_tokens",
    "sets",
)


def plain(value):
    """Arrays, which `base64_array` packed, as lists."""
    if isinstance(value, dict):
        if {"data", "shape"} <= value.keys():
            return np.frombuffer(base64.b64decode(value["data"]), "<f4").tolist()
        return {key: plain(own) for key, own in value.items()}
    return [*map(plain, value)] if isinstance(value, list | tuple) else value


def test_the_page_holds_what_it_did_as_stored(tables, pages):
    index = index_of(tables["sets"].id.tolist(), tables, SETTINGS, tokens.Shape(24, 12, 2, 2), {})
    pair, other = tables["perturbed_paragraphs"].id.iloc[0], min(pages.keys() - {*tables["perturbation"].id})
    found = {f"index, {name}": index[name] for name in INDEX} | {"list": index["paragraphs"][:9]}
    found |= {f"maps, {name}": of_sets for name, of_sets in maps.maps_of_sets(tables).items()}
    for number in (pair, other):
        found |= {f"paragraph {number}, {name}": part for name, part in pages[number].items()}
    assert_stored(rounded(plain(found)), STORED)


def test_every_described_map_has_numbers(tables, pages):
    of_sets = maps.maps_of_sets(tables)
    of_paragraphs = set().union(*(content["maps"] for content in pages.values()))
    assert {found["key"] for found in described(maps.MAPS, tables)} == set(of_sets) | of_paragraphs
