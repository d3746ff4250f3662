"""Read a model's folder as it is: weights and tokenizer of any family that transformers knows.

A model is a local folder (config.json, *.safetensors, tokenizer files); nothing is fetched and no code of the
folder is run. Training and data need no more than this, so a new row in the table of families reruns
neither. transformers takes seconds to import and is therefore imported where it is used.
"""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from memloc.model.context import require_tokenizer
from memloc.run.errors import InputError
from memloc.settings.loading import Loading

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


ON_PROCESSOR = Loading(device="cpu")


class ModelError(InputError):
    """A model folder that cannot be used; the message says what is wrong and what to do."""


def native_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices natively, so that it pays to compute in it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def use_deterministic_algorithms() -> None:
    """Same numbers in every run on one device: deterministic kernels where torch has them, and no TF32."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it is first used
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid that costs time
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def load_tokenizer(folder: Path | str) -> "PreTrainedTokenizerBase":
    """The tokenizer of a model folder.

    Raises:
        InputError: no tokenizer file, or token ids that the model of the same folder has no embedding for.
    """
    from transformers import AutoConfig, AutoTokenizer

    require_tokenizer(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    n_embedded = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False).vocab_size
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if not 0 <= largest < n_embedded:
        raise ModelError(
            f"{folder}: the tokenizer's token ids go up to {largest}, but the model embeds {n_embedded} "
            "tokens: put the tokenizer that the model was trained with into the folder"
        )
    return tokenizer


def token_before(folder: Path | str, before: Literal["none", "end_of_text", "bos"]) -> int | None:
    """The token that stands before every prefix (`paragraph.before`); None without one.

    Raises:
        ModelError: the tokenizer has no such token.
    """
    if before == "none":
        return None
    tokenizer = load_tokenizer(folder)
    token = tokenizer.bos_token_id if before == "bos" else tokenizer.eos_token_id
    if token is None:
        raise ModelError(f"{folder}: the tokenizer has no token for paragraph.before: {before}")
    return token


def read_model(folder: Path | str, how: Loading = ON_PROCESSOR) -> "PreTrainedModel":
    """The causal language model of a folder, in evaluation mode.

    Losses are computed in single precision at least, whatever the type of the weights. `how.gpus` counts GPUs
    that this process sees; without any GPU, the processor computes.

    Raises:
        ModelError: no safetensors file, missing weights (they would be random), weights that are not finite,
            too few GPUs or too little memory on them.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    use_deterministic_algorithms()
    weight_files(folder)
    has_gpu = torch.cuda.is_available()
    if how.device == "cuda" and not has_gpu:
        raise ModelError('device "cuda" was asked for, but torch finds no GPU: use "auto" or "cpu"')
    place = "cuda" if has_gpu and how.device != "cpu" else "cpu"
    spread = how.gpus > 1 and place == "cuda"
    if spread and torch.cuda.device_count() < how.gpus:
        raise ModelError(f"loading.gpus is {how.gpus}, but this job sees {torch.cuda.device_count()} GPUs")
    model, loading = AutoModelForCausalLM.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        dtype=getattr(torch, how.dtype),
        device_map="auto" if spread else None,
        output_loading_info=True,
    )
    _check_weights(model, loading["missing_keys"], folder)
    fuse_gelu(model)
    if spread:
        _check_placement(model)
        answer_on_first_device(model)
    else:
        model.to(place)
    return model


def _check_weights(model: "PreTrainedModel", missing: set[str], folder: Path | str) -> None:
    if missing:
        raise ModelError(
            f"{folder}: the safetensors files lack {', '.join(sorted(missing))}: "
            "they are not those of this config.json; fetch the model again"
        )
    for name, weight in model.named_parameters():
        if not weight.isfinite().all():
            raise ModelError(f"{folder}: {name} holds NaN or infinite weights; fetch or train it again")


def _check_placement(model: "PreTrainedModel") -> None:
    if {"cpu", "disk"} & {str(place) for place in model.hf_device_map.values()}:
        raise ModelError(
            f"the model does not fit the memory of {torch.cuda.device_count()} GPUs: "
            "raise loading.gpus, or set loading.dtype to bfloat16"
        )


def fuse_gelu(model: "PreTrainedModel") -> None:
    """Compute the tanh form of GELU in one kernel instead of eight; equal up to rounding (1e-6)."""
    from transformers.activations import NewGELUActivation

    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))


def answer_on_first_device(model: "PreTrainedModel") -> None:
    """Let a model that is spread over devices return hidden states and logits on the device of its tokens."""

    def move_states(_module: torch.nn.Module, _inputs: tuple, output: Any) -> None:
        output.last_hidden_state = output.last_hidden_state.to(model.device)

    model.base_model.register_forward_hook(move_states)
    unembedding = model.get_output_embeddings()
    unembedding.register_forward_hook(lambda _module, _inputs, logits: logits.to(model.device))


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
    """SHA-256 of a model's safetensors file; of several files, SHA-256 of their `sha256sum` list.

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
