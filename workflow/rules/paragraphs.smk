# Paragraphs of all sources of data, and paragraphs that the filters drop.

from importlib.metadata import PackageNotFoundError, version

from memloc.data import chosen_files
from memloc.data.text_files import text_files
from memloc.data.token_arrays import open_arrays

EXPECTED = SETTINGS.expected
# The paragraphs dropped by the filter that the published numbers come from.
PUBLISHED_FILTER = "dropped_reference" if EXPECTED.filter == "reference" else "dropped_paragraphs"

if DATA.source == "code":

    with explained():
        # Of a package, its version decides; another one is another text.
        VERSIONS = {} if DATA.folder else {DATA.package: chosen_files.version_of(DATA)}
        FILES = [str(file) for file in chosen_files.matching(DATA)] if DATA.folder else []
        if workflow.is_main_process:
            chosen_files.corpus(DATA, SETTINGS.seed)

    rule paragraphs:
        input:
            files=FILES,
            base=PRETRAINED,
        output:
            **tables("paragraphs", "places", "occurrences", "training_stream"),
            text=f"{SHARED}/text.json",
            tokenizer=directory(f"{SHARED}/tokenizer"),
        log:
            log_file("paragraphs"),
        benchmark:
            benchmark_file("paragraphs")
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(4000),
            runtime=growing(30),
        params:
            **tracked("data"),
            context=MODEL.context,
            versions=VERSIONS,
        message:
            "Cut paragraphs from real files, each of them once, and count their copies."
        script:
            "../scripts/paragraphs_code.py"

elif DATA.source == "drawn":

    try:
        VERSIONS = {package: version(package) for package in DATA.packages}
    except PackageNotFoundError as error:
        raise SystemExit(f"data.packages: {error.name} is not installed: install it, or name other packages")

    rule paragraphs:
        input:
            base=PRETRAINED,
        output:
            **tables("paragraphs", "places", "occurrences", "training_stream"),
            tokenizer=directory(f"{SHARED}/tokenizer"),
        log:
            log_file("paragraphs"),
        benchmark:
            benchmark_file("paragraphs")
        conda:
            ENVIRONMENT
        threads: 2
        resources:
            mem_mb=growing(3000),
            runtime=growing(30),
        params:
            **tracked("data"),
            context=MODEL.context,
            versions=VERSIONS,  # another version of a package is another text
        message:
            "Cut paragraphs from the docstrings of installed packages and draw their repeats."
        script:
            "../scripts/paragraphs_drawn.py"

elif DATA.source == "text":

    with explained():
        TEXTS = text_files(DATA.files, "data.files", DATA.encoding)
    TEXT_SCRIPT = "paragraphs_counted.py" if DATA.counts else "paragraphs_text.py"

    rule paragraphs:
        input:
            texts=[PLACES.get(file, file) for file in TEXTS],
            folder=MODEL_FOLDER,
        output:
            **tables("paragraphs", *["places"] * bool(DATA.counts)),
        log:
            log_file("paragraphs"),
        benchmark:
            benchmark_file("paragraphs")
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            **tracked("data"),
        message:
            "Cut paragraphs from your own text and count their repeats."
        script:
            f"../scripts/{TEXT_SCRIPT}"

elif DATA.source == "tokens":

    TOKENS = [PLACES.get(file, file) for file in DATA.files]
    if not PLACES:
        with explained():
            open_arrays(DATA, SETTINGS.paragraph, TOKENS)

    rule paragraphs:
        input:
            tokens=TOKENS,
            folder=MODEL_FOLDER,
        output:
            **tables("paragraphs", "places"),
        log:
            log_file("paragraphs"),
        benchmark:
            benchmark_file("paragraphs")
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(4000),
            runtime=growing(30),
        params:
            **tracked("data"),
        message:
            "Read paragraphs that are given as token ids, and decode their text."
        script:
            "../scripts/paragraphs_tokens.py"

else:

    rule paragraphs:
        input:
            release=RELEASE_FILES,
            folder=MODEL_FOLDER,
            tokenizer=[RELEASE_TOKENIZER] if DATA.retokenize else [],
        output:
            **tables("paragraphs"),
        log:
            log_file("paragraphs"),
        benchmark:
            benchmark_file("paragraphs")
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(4000),
            runtime=growing(30),
        params:
            **tracked("data"),
        message:
            "Read the published paragraphs and decode their text."
        script:
            "../scripts/paragraphs_release.py"


rule dropped_paragraphs:
    input:
        **tables("paragraphs", *GROWN),
        folder=MODEL_FOLDER,
    output:
        **tables("dropped_paragraphs", "dropped_reference"),
    log:
        log_file("dropped_paragraphs"),
    benchmark:
        benchmark_file("dropped_paragraphs")
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        **tracked("filters"),
    message:
        "Filter paragraphs by keywords and unique tokens (paper A.1)."
    script:
        "../scripts/dropped_paragraphs.py"
