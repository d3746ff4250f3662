"""Tiny random models of every supported family: 2 layers, 4 heads (Llama: 2 key-value heads), width 16."""

from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import (
    AutoModelForCausalLM,
    GemmaConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    Olmo2Config,
    Olmo3Config,
    OlmoConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

VOCABULARY = 64
# Wide enough a spread that attention is far from uniform: a test could otherwise not tell queries from keys.
SPREAD = {"vocab_size": VOCABULARY, "initializer_range": 0.25, "bos_token_id": 0, "eos_token_id": 0}


def _gpt_neo() -> PreTrainedModel:
    layers = {"attention_types": [[["global", "local"], 1]], "num_layers": 2, "window_size": 256}
    return GPTNeoForCausalLM(
        GPTNeoConfig(hidden_size=16, num_heads=4, max_position_embeddings=64, **layers, **SPREAD)
    )


def _gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(GPT2Config(n_embd=16, n_head=4, n_layer=2, n_positions=64, **SPREAD))


def _gpt_neox() -> PreTrainedModel:
    width = {"hidden_size": 16, "intermediate_size": 64, "max_position_embeddings": 64}
    return GPTNeoXForCausalLM(GPTNeoXConfig(num_attention_heads=4, num_hidden_layers=2, **width, **SPREAD))


LLAMA_SHAPE = {
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 16,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}


def _llama() -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(**LLAMA_SHAPE, **SPREAD))


def _llama_like(config: type[PreTrainedConfig], **more: int) -> Callable[[], PreTrainedModel]:
    return lambda: AutoModelForCausalLM.from_config(config(**LLAMA_SHAPE, **SPREAD, **more))


TINY = {"gpt_neo": _gpt_neo, "gpt2": _gpt2, "gpt_neox": _gpt_neox, "llama": _llama}

# Their modules have the names of Llama's. Those of Qwen 3 and Gemma have wider heads than others.
LLAMA_LIKE = {
    "mistral": _llama_like(MistralConfig),
    "olmo": _llama_like(OlmoConfig),
    "olmo2": _llama_like(Olmo2Config),
    "olmo3": _llama_like(Olmo3Config),
    "qwen2": _llama_like(Qwen2Config),
    "qwen3": _llama_like(Qwen3Config, head_dim=6),
    "gemma": _llama_like(GemmaConfig, head_dim=8),
    "smollm3": _llama_like(SmolLM3Config),
}


def save_tokenizer(folder: Path, n_tokens: int = VOCABULARY) -> None:
    """Save a tokenizer of the words t0, t1, ... into a model's folder."""
    vocabulary = {f"t{token}": token for token in range(n_tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="t0"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="t0").save_pretrained(folder)
