"""Rule paragraphs (embedded): cut paragraphs from docstrings and draw how often each is repeated."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from memloc.data import embedded
from memloc.model import loading
from memloc.run.atomic import atomic_folder
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.training import TRAINING_STREAM

settings = sections(snakemake.params.settings)
data, paragraph = settings.data, settings.paragraph
texts = [text for package in data.packages for text in embedded.docstrings(package, data.min_characters)]
log(f"{len(texts)} docstrings, {sum(map(len, texts)):,} characters")
base = snakemake.input.get("base")
tokenizer = loading.load_tokenizer(base[0]) if base else embedded.train_tokenizer(texts, data.vocabulary)
paragraphs, stream = embedded.make_stream(
    texts,
    tokenizer,
    length=paragraph.length,
    n_prefix=paragraph.prefix,
    n_repeated=data.n_repeated,
    n_once=data.n_once,
    min_repeats=data.min_repeats,
    max_repeats=data.max_repeats,
    seed=snakemake.params.seed,
)
log(f"{len(paragraphs)} paragraphs, {len(stream)} occurrences in the training stream")
elsewhere = (paragraphs["continuation_count"] > paragraphs["count"]).sum()
log(f"{elsewhere} continuations occur more often than their paragraph")

stamp = provenance(snakemake) | {"packages": snakemake.params.versions}
with atomic_folder(snakemake.output.tokenizer) as folder:
    tokenizer.save_pretrained(folder)
storage.write(PARAGRAPHS, paragraphs, snakemake.output.paragraphs, stamp)
storage.write(TRAINING_STREAM, stream, snakemake.output.stream, stamp)
