"""Near-copies of a paragraph, by the share of tokens that is edited, and kinds of recited paragraphs."""

SEARCHED = (0, 1, 2, 5, 10)  # per cent of the tokens; such copies are found in any text
WRITTEN = (20, 50)  # the same, of copies that only their writer finds again
NESTED = tuple(f"within_{share}" for share in (*SEARCHED, *WRITTEN))  # each counts those before it, too
KINDS = RECONSTRUCTION, RECITATION, RECOLLECTION = ("reconstruction", "recitation", "recollection")
