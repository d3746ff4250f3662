"""The explorer of the finished study in a real browser; `tests/unit/explorer` tests what it shows."""

import shutil

import pytest
from browser import HANGS, SIZES, Explorer

from memloc.explorer.files import write_comparison
from read_tables import read


@pytest.fixture(scope="module")
def folder(finished):
    return finished.results / "explorer"


@pytest.fixture
def explorer(browser, folder):
    """The page as it opens, in silence and from its folder alone."""
    opened = Explorer.opened(browser, folder, viewport=SIZES["wide"])
    assert opened.said == [] and opened.outside() == [] and len(opened.asked) > 10
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def pair(finished):
    """A paragraph that was perturbed."""
    return read(finished.results, "perturbed_paragraphs").iloc[0]


def linked_figures(explorer):
    """Addresses of the figures that the claims name."""
    page = explorer.page
    page.click("#tab-claims")
    page.wait_for_selector("#tab tbody tr")
    assert "fig3" in page.inner_text("#tab tbody")
    return [link.get_attribute("href") for link in page.locator("#tab tbody a").all()]


def test_figures_are_linked_where_they_lie_and_nowhere_else(browser, explorer, folder, tmp_path):
    links = linked_figures(explorer)
    links.append(explorer.page.get_attribute("#all-figures a", "href"))
    assert all((folder / link).exists() for link in links) and explorer.page.is_visible("#all-figures")
    elsewhere = Explorer.opened(browser, shutil.copytree(folder, tmp_path / "as-in-a-report"))
    assert linked_figures(elsewhere) == [] and not elsewhere.page.is_visible("#all-figures")
    elsewhere.close()


def test_two_models_show_the_same_paragraph(browser, folder, pair, tmp_path):
    for model in ("one", "other"):
        shutil.copytree(folder, tmp_path / model / "explorer")
    (tmp_path / "explorer").mkdir()
    write_comparison(tmp_path / "explorer", "both", ["one", "other"])
    page = browser.new_context(viewport=SIZES["wide"]).new_page()
    page.set_default_timeout(HANGS)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "explorer/index.html").as_uri())
    left, right = (page.frame_locator(f".pane:nth-child({i}) iframe") for i in (1, 2))
    for frame in (left, right):
        frame.locator("body[data-shown]").wait_for()
    left.locator(f"#list [data-id='{pair.id}']").click()
    right.locator(f"body[data-shown='{pair.id}']").wait_for()
    left.locator("#colouring").select_option("attention")
    right.locator("#colouring-about", has_text="Share of its attention").wait_for()
    left.locator("#head").select_option("2")
    for frame in (left, right):
        assert frame.locator("#paragraph-title").inner_text() == f"Paragraph {pair.id}"
    assert left.locator("#head").input_value() == "2"
    assert right.locator("#head").input_value() == right.locator("#head [selected]").get_attribute("value")
    assert said == []
    page.context.close()
