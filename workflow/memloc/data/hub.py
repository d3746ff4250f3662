"""Models of the hub, or of a mirror that speaks its protocol, fetched by the hub's own client.

The client finds the files, resumes broken transfers, and drops the token when it is redirected.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, errors, logging, snapshot_download

from memloc.data.download import DownloadError, require_encrypted, verify
from memloc.model.context import COMMIT
from memloc.run.atomic import atomic_folder

WEIGHTS = "model.safetensors"
INDEX, SHARDS = f"{WEIGHTS}.index.json", "model-*-of-*.safetensors"
TOKENIZERS = ({"tokenizer.json"}, {"vocab.json", "merges.txt"})
TEXTS = (".json", "merges.txt")  # endings of all other files that a model needs
ERRORS = (errors.HTTPError, errors.EntryNotFoundError, errors.FileMetadataError, errors.HFValidationError)


def fetch_model(
    model_id: str,
    revision: str,
    folder: Path | str,
    endpoint: str,
    *,
    sha256: str | None = None,
    weights: bool = True,
) -> Path:
    """Download configuration, tokenizer and safetensors weights of a causal language model to `folder`.

    `sha256` is the checksum of model.safetensors; without it, the weights may also be sharded. Pickled
    weights are never fetched. The hub's token (HF_TOKEN), if set, is sent to `endpoint` only, and
    never unencrypted. `folder` appears, or is replaced, once everything is there. A branch or tag stands for
    one commit, from which all files come and which the file `COMMIT` names.

    Raises:
        DownloadError: a file fails or does not match, or the model lacks a tokenizer or safetensors weights.
    """
    commit, wanted = listed(model_id, revision, endpoint, sha256=sha256, weights=weights)
    with _asked(model_id, revision, endpoint) as token, atomic_folder(folder) as temporary:
        source = {"revision": commit, "endpoint": endpoint, "token": token}
        snapshot_download(model_id, local_dir=temporary, allow_patterns=wanted, **source)
        shutil.rmtree(temporary / ".cache")
        verify(f"{model_id}: {WEIGHTS}", temporary / WEIGHTS, sha256)
        if commit != revision:
            (temporary / COMMIT).write_text(f"{commit}\n")
    return Path(folder)


def listed(
    model_id: str, revision: str, endpoint: str, *, sha256: str | None = None, weights: bool = True
) -> tuple[str, list[str]]:
    """The commit that a revision stands for, and patterns of the files that `fetch_model` fetches of it.

    Raises:
        DownloadError: as `fetch_model` does, before it fetches a file.
    """
    require_encrypted(endpoint)
    constants.HF_HUB_OFFLINE = False  # elsewhere nothing may use the network
    logging.set_verbosity_error()  # warnings hold addresses that are signed
    with _asked(model_id, revision, endpoint) as token:
        found = HfApi(endpoint, token=token).model_info(model_id, revision=revision)
    return found.sha, _wanted(model_id, {file.rfilename for file in found.siblings}, weights, sha256)


@contextmanager
def _asked(model_id: str, revision: str, endpoint: str) -> Iterator[bool | None]:
    """The hub's token as it is set up (None), or none (False); errors of the client become DownloadErrors."""
    try:
        yield None if endpoint.startswith("https:") else False
    except ERRORS as error:
        answer = getattr(error, "response", None)
        said = f"{answer.status_code} {answer.reason_phrase}" if answer else error.__cause__ or error
        said = " ".join(str(said).split())
        raise DownloadError(f"{model_id} at {revision}: expected the model, got: {said}") from error


def _wanted(model_id: str, names: set[str], weights: bool, sha256: str | None) -> list[str]:
    """Patterns of the files to fetch, given the names of a model's files. DownloadError: some are missing."""
    if not any(files <= names for files in TOKENIZERS):
        raise DownloadError(f"{model_id}: expected tokenizer.json or vocab.json and merges.txt, got neither")
    weights_in = WEIGHTS if sha256 or WEIGHTS in names else INDEX
    if missing := {"config.json", *([weights_in] if weights else [])} - names:
        raise DownloadError(f"{model_id}: expected {' and '.join(sorted(missing))}, which it does not have")
    texts = [name for name in names if "/" not in name and name.endswith(TEXTS)]
    return [*texts, *([WEIGHTS if weights_in == WEIGHTS else SHARDS] if weights else [])]
