"""What the processor or GPU can do."""

import torch


def native_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices natively, so that it pays to compute in it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
