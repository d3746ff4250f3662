"""No file that is read can run code.

That archives are unpacked below their folder only, that addresses are encrypted and that the hub's token goes
to the hub alone: data/test_download.py and data/test_hub.py. That no address holds a password:
settings/test_derived.py.
"""

import ast
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from memloc.model import loading, training
from memloc.model.pretrained import read_model

WORKFLOW = Path(loading.__file__).parents[2]
TREES = {path: ast.parse(path.read_text()) for path in sorted(WORKFLOW.rglob("*.py"))}
# Readers, and what makes them safe.
NEEDED = {
    "load": {"torch": ("weights_only", True), "np": ("allow_pickle", False)},
    "from_pretrained": {None: ("trust_remote_code", False)},
}
PICKLING = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def calls(name):
    """(file, call) of every call of a method or function of this name in library and scripts."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                yield path, node


def test_every_reader_is_called_in_its_safe_form():
    n_checked = 0
    for name, owners in NEEDED.items():
        for path, call in calls(name):
            owner = getattr(call.func.value, "id", None)
            if needed := owners.get(owner, owners.get(None)):
                given = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
                assert given.get(needed[0]) is needed[1], f"{path.name}:{call.lineno}"
                n_checked += 1
    assert n_checked >= 6


def test_nothing_is_pickled():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not PICKLING & {name.split(".")[0] for name in names}, path.name
    assert not list(calls("read_pickle")) and not list(calls("to_pickle"))


def test_a_checkpoint_that_holds_code_is_refused(tmp_path):
    torch.save({"model": Payload(tmp_path / "ran")}, tmp_path / "state.pt")
    model = training.new_model(vocabulary=16, n_layers=1, n_heads=1, width=8, context=8, seed=0)
    how = SimpleNamespace(optimizer="adamw", learning_rate=0.1)
    with pytest.raises(Exception, match="weights_only|Weights only"):
        training.Training(model, how, bf16=False).resume(tmp_path / "state.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("model_type", ["gpt2", "unknown"])
def test_code_in_a_model_folder_never_runs(tmp_path, model_type):
    """Also where the folder names no known architecture; one that is known is read by the library's code."""
    model = GPT2LMHeadModel(GPT2Config(n_embd=8, n_head=2, n_layer=1, n_positions=8, vocab_size=16))
    model.save_pretrained(tmp_path)
    classes = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"auto_map": classes, "model_type": model_type}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nConfig = Model = object\n")
    if model_type == "gpt2":
        assert isinstance(read_model(tmp_path), GPT2LMHeadModel)
    else:
        with pytest.raises(Exception, match="trust_remote_code|custom code"):
            read_model(tmp_path)
    assert not (tmp_path / "ran").exists()
