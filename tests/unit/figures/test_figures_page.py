"""The page of all figures: captions to the letter, nothing that a text could add, and what is printed."""

import io
import re
from html import unescape
from pathlib import Path
from unicodedata import normalize

import browser as browsers
import jinja2
import matplotlib.pyplot as plt
import pandas as pd
import pypdf
import pytest
from docutils.core import publish_doctree
from docutils.nodes import enumerated_list
from made_tables import frame_of

import memloc
from memloc.figures.catalog import FigureInfo
from memloc.figures.parts.figures_page import caption_html, figures_page, with_words
from memloc.tables.terms.claims import VERDICTS

REPORT = Path(memloc.__file__).parents[1] / "report"
TEMPLATE = (REPORT / "figures.html.jinja").read_text()
SPECIAL = '<script>{{ x }} *no* & "quoted"</script>'
CHAPTERS = {
    "Figures of the paper": [FigureInfo("fig1", "The first", (), "1, Figure 1")],
    "More": [FigureInfo("extra", SPECIAL, (), page=True), FigureInfo("last", "The last", ())],
}
TOLD = {"study": "some_study", "members": [], "headline": ["Half is <recited>."]}
TOLD |= {"before": "none"}


@pytest.fixture
def folder(tmp_path):
    """Captions of three figures."""
    (tmp_path / "fig1.rst").write_text(
        "A caption\nof two lines.\n\n* an item **stands**: 0.9\n* another one\n"
    )
    (tmp_path / "extra.rst").write_text("With ``code`` and *weight*: \\<b\\> \u03c4.\n")
    (tmp_path / "last.rst").write_text("The end.\n")
    (tmp_path / "extra.html").write_text("<p>More</p>\n")
    return tmp_path


def claims(*verdicts):
    places = range(len(verdicts))
    own = {"verdict": verdicts, "topic": [f"some_topic_{place // 2}" for place in places]}
    said = {"work": "1234.5", "section": "4", "quantity": "by which it is", "reason": "so <it> is"}
    found = {"scale": "nats", "unit": "pair", "n": 8, "value": 0.5, "low": 0.25, "high": 1.5}
    return frame_of("claims", statement=[f"Claim {place}." for place in places], **own, **said, **found)


def page_of(folder, found=None, template=TEMPLATE, **told):
    return figures_page(template, CHAPTERS, folder, pd.DataFrame() if found is None else found, **TOLD | told)


def said(page):
    """The words that a browser shows."""
    return " ".join(unescape(re.sub(r"<style>[^<]*</style>|<[^>]+>", " ", page)).split())


def test_every_figure_is_there_in_order_with_its_caption_and_its_files(folder):
    page = page_of(folder)
    words = said(page.partition("<main>")[2])
    pieces = ["Figures of the paper", "The first", "1, Figure 1, target fig1", "A caption of two lines."]
    pieces += ["an item stands : 0.9", "another one", "More", SPECIAL, "extended, target extra", "The last"]
    places = [words.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert "some_study Half is <recited>. All" in said(page) and "<script>" not in page
    assert "With code and weight : <b> \u03c4." in words and "<code" in page and "<em>weight</em>" in page
    shown = re.findall(r'<(?:img src|a href)="([^#"]+)"', page)
    files = {
        name: [f"{folder.name}/{name}.{kind}" for kind in ("png", "png", "pdf", "csv")]
        for name in ("fig1", "extra", "last")
    }
    assert shown == [*files["fig1"], *files["extra"], f"{folder.name}/extra.html", *files["last"]]


def test_claims_that_apply_are_a_table_with_topics_once(folder):
    holds, fails, _, too_few, not_applicable, error = VERDICTS
    words = said(page_of(folder, claims(holds, fails, not_applicable, too_few, error)))
    told = words[words.rindex("Claims and verdicts") :]
    value = "0.5 (0.25 to 1.5) nats by which it is; n = 8 pairs"
    assert f"Some topic 0 Claim 0. (1234.5, 4) {value} {holds} : so <it> is" in told
    assert "Claim 2" not in told and "Claim 3" in told
    assert told.count("Some topic 0") == told.count("Some topic 1") == 1
    assert f"Some topic 2 Claim 4. (1234.5, 4) {error} : so <it> is Words" in told
    assert "Claims and verdicts" not in said(page_of(folder))


def test_a_table_stands_in_the_place_of_its_picture(folder):
    (folder / "extra.html").write_text(
        "<!DOCTYPE html>\n<p>All.</p>\n<table>\n<td>1</td>\n</table>\n</html>\n"
    )
    page = page_of(folder)
    assert page.count("<table>\n<td>1</td>\n</table>") == 1 and "All." not in page
    assert re.findall(r'<img src="([^"]+)"', page) == [
        f"{folder.name}/{name}.png" for name in ("fig1", "last")
    ]


def test_the_page_of_several_models_links_the_page_of_each(folder):
    links = re.findall(r'href="(\w+/figures.html)"', page_of(folder, members=["small", "large"]))
    assert links == ["small/figures.html", "large/figures.html"]


def test_a_template_that_names_what_is_not_there_is_an_error(folder):
    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        page_of(folder, template="{{ nothing }}")


def test_a_caption_brings_in_no_other_file_and_no_html(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    for caption in (
        f".. include:: {tmp_path}/secret.txt",
        ".. raw:: html\n\n   <script></script>",
        "<script></script>",
    ):
        assert not re.search("^secret|<script>", caption_html(caption))


def test_words_are_linked_where_they_stand_first_and_every_link_leads_somewhere(folder):
    (folder / "last.rst").write_text("Held-out NLL: *an NLL*, own continuations, MEMORIZED, prefixed, nll.\n")
    page = page_of(folder)
    links = re.findall(r'<a class="word" href="#([^"]+)" title="[^"]+">([^<]+)</a>', page)
    named = [("held-out", "Held-out"), ("nll", "NLL"), ("own-continuation", "own continuations")]
    assert links == [(f"word-{name}", shown) for name, shown in [*named, ("memorized", "MEMORIZED")]]
    assert re.findall(r'<dt id="([^"]+)"', page).count("word-nll") == 1
    assert {name for name, _ in links} <= {*re.findall(r'<dt id="([^"]+)"', page)}
    assert with_words('<p title="NLL">a</p>') == '<p title="NLL">a</p>', "no tag is changed"


def test_no_caption_reads_as_a_numbered_list():
    """Panels (a) and (b) that begin lines do so."""
    found = {
        path.name: publish_doctree(path.read_text(), settings_overrides={"report_level": 5})
        for path in REPORT.glob("*.rst")
    }
    assert len(found) > 30
    assert [name for name, tree in found.items() if list(tree.findall(enumerated_list))] == []


# In a browser.


@pytest.fixture
def opened(folder, browser):
    """The open page of two figures and one higher than a sheet, and the addresses that it asked for."""
    for name, size in {"fig1": (7, 3), "extra": (3.4, 2), "last": (7, 14)}.items():
        figure = plt.figure(figsize=size, facecolor="#ccccff")
        figure.savefig(folder / f"{name}.png", dpi=200)
    path = folder.parent / f"{folder.name}.html"
    path.write_text(page_of(folder, claims(*VERDICTS * 20)), encoding="utf-8")
    page = browser.new_context(viewport=browsers.SIZES["phone"]).new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page, asked
    page.context.close()
    assert said == []


def test_the_page_opens_from_disk_asks_for_its_pictures_alone_and_fits_a_phone(opened, folder):
    page, asked = opened
    pictures = [(folder / f"{name}.png").as_uri() for name in ("fig1", "extra", "last")]
    assert asked == [(folder.parent / f"{folder.name}.html").as_uri(), *pictures]
    widths = page.evaluate(
        "[...document.images].map(each => [each.naturalWidth, each.getBoundingClientRect().width])"
    )
    assert [natural for natural, _ in widths] == [1400, 680, 1400]
    assert max(width for _, width in widths) <= 400
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert browsers.faults(page) == []


def test_it_is_printed_on_sheets_with_figures_whole_and_rows_below_their_header(opened):
    page, _ = opened
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in sheets} == {(595, 842)}
    said = [" ".join(normalize("NFKC", sheet.extract_text()).split()) for sheet in sheets]  # no ligatures
    n_pictures = [len(sheet.images) for sheet in sheets]
    assert n_pictures[:4] == [0, 1, 1, 1] and sum(n_pictures) == 3
    for sheet, title in zip(said[1:4], ("The first", "extended, target extra", "The last"), strict=True):
        assert title in sheet
    assert "Figures of the paper" in said[1] and "PNG" not in " ".join(said)
    words = next(place for place, sheet in enumerate(said) if "AUROC" in sheet)
    assert words > 5 and all("This run (95 % interval)" in sheet for sheet in said[5:words])
