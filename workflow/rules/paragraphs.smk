# Paragraphs of all sources of data, and paragraphs that the filters drop.

from memloc.data import chosen_files
from memloc.data.text_files import text_files
from memloc.data.token_arrays import open_arrays

EXPECTED = SETTINGS.expected
# The paragraphs that the authors' code drops, where published numbers come from its filter.
PUBLISHED_FILTER = ["dropped_reference"] if EXPECTED.filter == "reference" else []

WITH_TEXT = ["paragraphs", "places", "occurrences", "training_stream"]  # tables of what a model is trained on

if DATA.source == "code":
    with explained():
        # Of a package, its version decides; another one is another text.
        VERSIONS = {} if DATA.folder else chosen_files.versions([DATA.package], "data.package")
        FILES = [str(file) for file in chosen_files.matching(DATA)] if DATA.folder else []
        if workflow.is_main_process:
            chosen_files.corpus(DATA, SETTINGS.seed)
    CUT = "Cut paragraphs from real files, each of them once, and count their copies."
    CUT_FROM = {"files": FILES, "base": PRETRAINED}
    CUT_INTO = tables(*WITH_TEXT) | {
        "text": f"{SHARED}/text.json",
        "tokenizer": directory(f"{SHARED}/tokenizer"),
    }
elif DATA.source == "drawn":
    with explained():
        VERSIONS = chosen_files.versions(DATA.packages, "data.packages")
    CUT = "Cut paragraphs from the docstrings of installed packages and draw their repeats."
    CUT_FROM = {"base": PRETRAINED}
    CUT_INTO = tables(*WITH_TEXT) | {"tokenizer": directory(f"{SHARED}/tokenizer")}
elif DATA.source == "text":
    with explained():
        TEXTS = text_files(DATA.files, "data.files", DATA.encoding)
    CUT = "Cut paragraphs from your own text and count their repeats."
    CUT_FROM = {"texts": [PLACES.get(file, file) for file in TEXTS], "folder": MODEL_FOLDER}
    CUT_INTO = tables("paragraphs", *["places"] * bool(DATA.counts))
elif DATA.source == "tokens":
    TOKENS = [PLACES.get(file, file) for file in DATA.files]
    if not PLACES:
        with explained():
            open_arrays(DATA, SETTINGS.paragraph, TOKENS)
    CUT = "Read paragraphs that are given as token ids, and decode their text."
    CUT_FROM = {"tokens": TOKENS, "folder": MODEL_FOLDER}
    CUT_INTO = tables("paragraphs", "places")
else:
    CUT = "Read the published paragraphs and decode their text."
    CUT_FROM = {"release": RELEASE_FILES, "folder": MODEL_FOLDER}
    CUT_FROM["tokenizer"] = [RELEASE_TOKENIZER] if DATA.retokenize else []
    CUT_INTO = tables("paragraphs")


rule paragraphs:
    input:
        **CUT_FROM,
    output:
        **CUT_INTO,
    log:
        log_file("paragraphs"),
    benchmark:
        benchmark_file("paragraphs")
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        **tracked("data"),
        # Another version of a package is another text; another tokenizer in a folder cuts other paragraphs.
        **({"context": MODEL.context, "versions": VERSIONS} if MODEL.source in TRAINED else MODEL_IDENTITY),
    message:
        CUT
    script:
        f"../scripts/paragraphs_{'counted' if getattr(DATA, 'counts', None) else DATA.source}.py"


rule dropped_paragraphs:
    input:
        **tables("paragraphs", *GROWN),
        folder=MODEL_FOLDER,
    output:
        **tables("dropped_paragraphs", *PUBLISHED_FILTER),
    log:
        log_file("dropped_paragraphs"),
    benchmark:
        benchmark_file("dropped_paragraphs")
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        **tracked("filters"),
    message:
        "Filter paragraphs by keywords and unique tokens (paper A.1)."
    script:
        "../scripts/dropped_paragraphs.py"
