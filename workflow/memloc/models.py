"""Load models: the one module that knows Hugging Face and TransformerLens.

A model is a local folder (config.json, *.safetensors, tokenizer files); nothing is fetched and no code of the
folder is run. Weights are the model's own: the bridge stays raw, since folding LayerNorm or centring weights
(`enable_compatibility_mode`) changes gradients. transformers and transformer_lens take seconds to import and
are therefore imported where they are used.
"""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Dtype = Literal["float32", "float64", "bfloat16"]
TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "tokenizer.model")


class ModelError(ValueError):
    """A model folder that cannot be used; the message says what is wrong and what to do."""


def resolve_device(device: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """The device to compute on; "auto" takes a GPU where there is one.

    Raises:
        ModelError: "cuda" without a GPU.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError('device "cuda" was asked for, but torch finds no GPU: use "auto" or "cpu"')
    return torch.device(device)


def use_deterministic_algorithms() -> None:
    """Same numbers in every run on one device: deterministic kernels where torch has them, and no TF32."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it is first used
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def load_tokenizer(folder: Path | str) -> "PreTrainedTokenizerBase":
    """The tokenizer of a model folder.

    Raises:
        ModelError: no tokenizer file (transformers would then make an empty one), or token ids that the model
            of the same folder has no embedding for.
    """
    from transformers import AutoConfig, AutoTokenizer

    folder = Path(folder)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise ModelError(
            f"{folder}: no tokenizer ({', '.join(TOKENIZER_FILES)}): "
            "save the model's tokenizer into the folder"
        )
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    n_embedded = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).vocab_size
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if not 0 <= largest < n_embedded:
        raise ModelError(
            f"{folder}: the tokenizer's token ids go up to {largest}, but the model embeds {n_embedded} "
            "tokens: put the tokenizer that the model was trained with into the folder"
        )
    return tokenizer


def load_model(folder: Path | str, device: str = "cpu", dtype: Dtype = "float32") -> "PreTrainedModel":
    """The causal language model of a folder, in evaluation mode, on `resolve_device(device)`.

    Raises:
        ModelError: no safetensors file, weights that it lacks (they would be random), weights that are not
            finite.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    use_deterministic_algorithms()
    weight_files(folder)
    model, loading = AutoModelForCausalLM.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        dtype=getattr(torch, dtype),
        output_loading_info=True,
    )
    if loading["missing_keys"]:
        raise ModelError(
            f"{folder}: the safetensors files lack {', '.join(sorted(loading['missing_keys']))}: "
            "they are not those of this config.json; fetch the model again"
        )
    for name, weight in model.named_parameters():
        if not weight.isfinite().all():
            raise ModelError(f"{folder}: {name} holds NaN or infinite weights; fetch or train it again")
    return model.eval().to(resolve_device(device))


def load_bridge(folder: Path | str, device: str = "cpu", dtype: Dtype = "float32") -> "TransformerBridge":
    """`load_model` with TransformerLens hooks, and the folder's tokenizer; raises what both raise."""
    return boot_bridge(load_model(folder, device, dtype), load_tokenizer(folder))


def boot_bridge(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase | None" = None
) -> "TransformerBridge":
    """Give a loaded model TransformerLens hooks. Its modules are wrapped in place: use one or the other.

    Does what `TransformerBridge.boot_transformers` does with a model in memory; that one, given no tokenizer,
    would look for one on the hub. Run whole sequences only: of some families (GPT-2, Llama) the bridge drops
    the key/value cache without a word, and logits are then wrong.
    """
    from transformer_lens.model_bridge.sources import build_bridge_from_module

    model.set_attn_implementation("eager")  # fused attention never computes the pattern that hooks read
    return build_bridge_from_module(
        model, type(model).__name__, hf_config=model.config, tokenizer=tokenizer, device=model.device
    )


def weight_files(folder: Path | str) -> list[Path]:
    """The safetensors files of a model folder, by name.

    Raises:
        ModelError: there is none.
    """
    files = sorted(Path(folder).glob("*.safetensors"))
    if not files:
        raise ModelError(
            f"{folder}: no *.safetensors file: fetch the model, or convert its weights with "
            "`save_pretrained(folder)` of transformers (other formats can run code when they are read)"
        )
    return files


def weights_sha256(folder: Path | str) -> str:
    """SHA-256 of a model's weights: that of its one safetensors file, else that of their `sha256sum` list.

    Raises:
        ModelError: no safetensors file.
    """
    digests = {}
    for path in weight_files(folder):
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    if len(digests) == 1:
        return next(iter(digests.values()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    return hashlib.sha256(listing.encode()).hexdigest()
