"""What figures call the strata of detection."""

STRATA = {
    "all": "all seen",
    "boundary": "boundary zone",
    "unseen": "seen or unseen",
}
WORDS = {
    "all": "All seen paragraphs, recited or not",
    "boundary": "Boundary zone, exposures that leave open whether a paragraph is recited",
    "unseen": "Seen paragraphs that are not recited, or unseen ones",
}
