"""Rule passages (data that are paragraphs): the places of those that the model recites, by their scores."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.paragraphs import token_tensor
from memloc.data.places import text_frame
from memloc.model import pretrained
from memloc.model.token_text import decoded

n_prefix, n = job.settings.paragraph.prefix, job.settings.paragraph.continuation
scores = job.read("scores", ["id", "em"])
places = job.read("places").merge(job.read("paragraphs", ["id", "unseen", "count"]), on="id")
places = places.merge(scores[~scores["id"].isin(job.read("dropped_paragraphs")["id"])], on="id")
found = places[places["em"] == n].sort_values(["file", "document", "start"], ignore_index=True)
start = found["start"] + n_prefix
found = found.assign(start=start, end=start + n, at_once=n, first_character=None, end_character=None)
if len(found):
    tokenizer = pretrained.load_tokenizer(job.input.folder)
    tokens = job.read("paragraphs", ["id", "tokens"], set(found["id"])).set_index("id")["tokens"]
    own = token_tensor(tokens.loc[found["id"]])
    texts = {"prefix": own[:, :n_prefix], "continuation": own[:, n_prefix:]}
    found = found.assign(**{name: decoded(some, tokenizer) for name, some in texts.items()})
    found["line"] += found["prefix"].str.count("\n")
job.write(
    recited=found.drop(columns=["id", "em"]),
    texts=text_frame(places.assign(n_short=False, n_tokens=n), found),
)
