"""The summary holds every caption to the letter, and its fonts."""

import io
import shutil
from pathlib import Path

import jinja2
import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pypdf
import pytest
from docutils.core import publish_doctree
from docutils.nodes import enumerated_list

import memloc
from memloc.summary.document import compiled, document, text, typst_of

CAPTIONS = sorted((Path(memloc.__file__).parents[1] / "report").glob("*.rst"))
TEMPLATE = Path(memloc.__file__).parents[1] / "report/summary.typ.jinja"
SPECIAL = '#let $x_1$ *no* "quoted" \\ [a] <b> @c // d'


@pytest.fixture
def folder(tmp_path):
    """Two figures with captions."""
    for name in ("fig1", "extra"):
        figure, axes = plt.subplots(figsize=(3, 2))
        axes.plot([0, 1])
        figure.savefig(tmp_path / f"{name}.pdf")
        plt.close(figure)
    (tmp_path / "fig1.rst").write_text(
        "A caption\nof two lines.\n\n* an item **holds**: 0.9\n* another one\n"
    )
    (tmp_path / "extra.rst").write_text("With ``code`` and *weight*.\n")
    return tmp_path


CHAPTERS = {
    "Figures of the paper": [("fig1", "The first", "1, Figure 1")],
    "Extended analyses": [("extra", SPECIAL, "extended")],
}


def source(folder, chapters=CHAPTERS):
    return document(TEMPLATE.read_text(), "some_study", "a/model", ["Half is #recited."], chapters, folder)


def test_every_figure_is_there_in_order_with_its_caption(folder):
    reader = pypdf.PdfReader(io.BytesIO(compiled(source(folder), folder)))
    words = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    rest = words[words.index("Figures of the paper", words.index("some_study")) :]
    expected = ["The first", "A caption of two lines.", "an item holds: 0.9", "another one", "With code and"]
    places = [rest.rindex(piece) for piece in expected]
    assert places == sorted(places)
    assert SPECIAL.replace('"', "") in words.replace("“", "").replace("”", "").replace('"', "")
    assert "a/model" in words


def test_a_figure_higher_than_a_page_stays_readable_on_a_longer_one_with_its_caption(folder):
    """Shrunk to an A4 page, a list of claims was a strip."""
    figure = plt.figure(figsize=(7, 12))
    figure.savefig(folder / "extra.pdf")
    plt.close(figure)
    pages = pypdf.PdfReader(io.BytesIO(compiled(source(folder), folder))).pages
    first, _, last = pages
    height = float(last.mediabox.height - first.mediabox.height)
    assert last.mediabox.width == first.mediabox.width and height > 72
    assert "Extended analyses" in last.extract_text() and "With code and weight" in last.extract_text()


def test_claims_are_a_table_in_readable_type_over_pages(folder):
    """As a picture on one long page, they were in type of less than five points."""
    figure = plt.figure(figsize=(7, 12))
    figure.savefig(folder / "claims.pdf")
    plt.close(figure)
    (folder / "claims.rst").write_text("What #holds.\n")
    row = {
        "topic": "some_topic",
        "data": "texts",
        "work": "1234.5",
        "quantity": "nats",
        "unit": "pair",
        "n": 8,
    }
    held = row | {"statement": "Most *hold*.", "value": 0.123456, "low": 0.05, "high": 1234.5}
    held |= {"n_other": 9.0, "published": 0.5, "verdict": "holds", "reason": "so"}
    missing = row | {"topic": "zz", "statement": "None.", "verdict": "not applicable", "reason": "too [few]"}
    stored = Path(__file__).parents[2] / "rules/stored/figures/claims.csv"
    assert {*held, *missing} <= set(pd.read_csv(stored)), "columns that the figure has"
    pd.DataFrame([held] * 60 + [missing]).to_csv(folder / "claims.csv", index=False)
    chapters = {"Claims": [("claims", "What is claimed", "extended")]}
    pages = pypdf.PdfReader(io.BytesIO(compiled(source(folder, chapters), folder))).pages
    assert len(pages) > 3 and len({page.mediabox.height for page in pages}) == 1
    said = [" ".join(page.extract_text().split()) for page in pages[1:]]
    assert all("this run (95 % interval)" in page for page in said)
    told = " ".join(said)
    assert (
        "0.123 (0.05 to 1235) (published: 0.5) nats; n = 8 + 9 (unit: pair)" in told and "too [few]" in told
    )
    assert told.count("Most *hold*.") == 60 and told.count("Some topic") == told.count("Zz") == 1


def test_its_fonts_are_embedded_and_its_figures_are_no_pixels(folder):
    reader = pypdf.PdfReader(io.BytesIO(compiled(source(folder), folder)))
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(descriptor.get_object())
        assert list(page.images) == []


def test_the_same_figures_give_the_same_bytes(folder):
    """Whenever: the document holds the time 0."""
    summary = compiled(source(folder), folder)
    assert compiled(source(folder), folder) == summary
    assert pypdf.PdfReader(io.BytesIO(summary)).metadata.creation_date.year == 1970


def test_fonts_of_the_machine_are_not_taken(tmp_path, monkeypatch):
    shutil.copytree(Path(matplotlib.get_data_path()) / "fonts/ttf", tmp_path / ".local/share/fonts")
    monkeypatch.setenv("HOME", str(tmp_path))
    reader = pypdf.PdfReader(io.BytesIO(compiled('#set text(font: "STIXGeneral")\nwords', tmp_path)))
    fonts = [font.get_object()["/BaseFont"] for font in reader.pages[0]["/Resources"]["/Font"].values()]
    assert fonts and not [name for name in fonts if "STIX" in name]


def test_a_template_that_names_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        document("{{ nothing }}", "study", "model", [], {}, tmp_path)


def test_text_is_no_markup():
    assert text('a "b" #c\\') == '#"a \\"b\\" #c\\\\";'


@pytest.mark.parametrize(
    ("caption", "typeset"),
    [
        ("so **it holds** here", '#"so ";#strong("it holds");#" here";'),
        ("``code``, *weight*", '#raw("code");#", ";#emph("weight");'),
        ("\u03c4 \u2013 **\u201ca\u201d**", '#"\u03c4 \u2013 ";#strong("\u201ca\u201d");'),
        ("one\n\ntwo", '#"one";\n\n#"two";'),
        ("* one\n* two", '- #"one";\n- #"two";'),
    ],
)
def test_paragraphs_items_and_words_stay_what_they_are(caption, typeset):
    assert typst_of(caption) == typeset


def test_markup_that_is_not_typeset_is_an_error():
    with pytest.raises(ValueError, match="a caption holds"):
        typst_of("=====\nTitle\n=====\n\ntext\n\n1. one\n2. two\n")


def test_no_caption_reads_as_a_numbered_list():
    """Panels (a) and (b) that begin lines do so."""
    found = {
        path.name: publish_doctree(path.read_text(), settings_overrides={"report_level": 5})
        for path in CAPTIONS
    }
    assert len(found) > 30
    assert [name for name, tree in found.items() if list(tree.findall(enumerated_list))] == []
