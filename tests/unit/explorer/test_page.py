"""The page in a browser, made of the stored tables: what its scripts make of the numbers they are given.

Heads of the page outnumber those of the tables two to one, as where queries share a key/value head.
"""

import browser as browsers
import numpy as np
import pytest

from memloc.data.sets import exposure
from memloc.explorer import files, maps, tabs, tokens
from memloc.explorer.index import index_of
from memloc.explorer.paragraph import paragraphs
from memloc.explorer.selection import corpus_counts
from memloc.settings.sections import sections

SHAPE = tokens.Shape(24, 12, 2, 4)
SETTINGS = sections({"highlight": None, "paragraph": {"length": 24, "prefix": 12}})
STUDY = "x<y>"
THEMES = ("light", "dark")
EVERYWHERE = pytest.mark.parametrize(
    "opened", [("wide", "light"), ("phone", "dark")], indirect=True, ids="-".join
)


@pytest.fixture(scope="module")
def pair(tables):
    """A paragraph that was perturbed."""
    return tables["perturbed_paragraphs"].iloc[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tables, pair):
    """The page of the first paragraphs, and of one that was perturbed."""
    folder = tmp_path_factory.mktemp("study") / "explorer"
    folder.mkdir()
    ids = sorted({*tables["sets"].id[:12].tolist(), int(pair.id)})
    counts = corpus_counts([tables["paragraphs"]], tables["sets"], tables["vocabulary"].token.max() + 1)
    about = {"study": STUDY, "seed": 7, "versions": {"torch": "2"}, "model": None, "rule": "score"}
    study = tabs.study("seed: 7", {"scores": about | {"config_hash": "a", "code": "b"}})
    shown = tabs.tabs(tables) | {"study": study}
    titles = {key: tab["title"] for key, tab in shown.items()}
    index = index_of(ids, tables, SETTINGS, SHAPE, titles)
    files.write_page(folder, {"study": STUDY, "found": ["A model.", "Half is recited."], **index})
    files.write_data(folder, "maps", maps.maps_of_sets(tables))
    for key, tab in shown.items():
        files.write_data(folder, f"tab-{key}", tab)
    for number, content in paragraphs(ids, tables, SHAPE, counts):
        files.write_data(folder, f"paragraph-{number}", content)
    return folder


def window(size, theme):
    options = {"viewport": browsers.SIZES[size], "has_touch": size == "phone", "reduced_motion": "reduce"}
    return options | {"color_scheme": theme}


@pytest.fixture(scope="module")
def opened(request, browser, folder, pair):
    options = window(*getattr(request, "param", ("wide", "light")))
    explorer = browsers.Explorer.opened(browser, folder, f"paragraph={pair.id}", **options)
    yield explorer
    assert explorer.said == [] and explorer.outside() == []
    explorer.close()


@pytest.fixture
def page(opened, pair):
    """The page, at the perturbed paragraph and otherwise as it opens."""
    view = {"paragraph": int(pair.id), "token": -1, "by": "effect", "layer": 1, "head": 2, "search": ""}
    view |= {"tab": "paragraphs", "scope": "paragraph", "sort": "page", "without": "", "map": "patching"}
    opened.page.evaluate("view => memloc.state.set(view)", view)
    opened.wait(int(pair.id))
    return opened.page


def state(page, *names):
    found = page.evaluate("memloc.state.get()")
    return [found[name] for name in names]


def listed(page):
    return [int(each.get_attribute("data-id")) for each in page.locator("#list [role=option]").all()]


def index_on(page):
    return page.evaluate("memloc.load('index')")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0012349, "0.00123"),
        (-0.00012349, "−1.23 × 10⁻⁴"),
        (12345678.9, "1.23 × 10⁷"),
        (0.5, "0.5"),
        (-2, "−2"),
        (1234567, "1,234,567"),
        (None, "–"),
    ],
)
def test_numbers_are_written_with_three_digits(page, number, text):
    assert page.evaluate("number => memloc.number(number)", number) == text


@pytest.mark.parametrize(
    ("values", "how", "ends", "shares"),
    [
        ([1, 3, 4], {}, [0, 4], [0.25, 0.75, 1]),
        ([-1, 3], {}, [-1, 3], [0, 1]),
        ([-1, 4], {"diverging": True}, [-4, 4], [3 / 8, 1]),
        ([-4, 1], {"diverging": True}, [-4, 4], [0, 5 / 8]),
        ([-4, -1], {"diverging": True}, [-4, 4], [0, 3 / 8]),
        ([2, 3, 6], {"ascending": True}, [2, 6], [1, 0.75, 0]),
        ([1, 4, 16], {"logarithmic": True}, [1, 16], [1, 0.5, 0]),
        ([0, 0], {}, [0, 0], [0, 0]),
    ],
)
def test_what_is_strong_is_at_the_end_of_the_scale(page, values, how, ends, shares):
    """Differences lie around zero; first ranks, and few occurrences on a scale of logarithms, are strong."""
    scale = """([values, how]) => {
        const { low, high, share } = memloc.colours.scale([...values, NaN], how);
        return [low, high, ...values.map(share)];
    }"""
    assert page.evaluate(scale, [values, how]) == pytest.approx([*ends, *shares])


def test_the_list_is_searched_sorted_and_counted(page, tables):
    ids = listed(page)
    scores = tables["scores"].set_index("id").loc[ids]
    assert ids == sorted(ids) and page.inner_text("#n-shown") == f"all {len(ids)}"
    exposed = exposure(tables["paragraphs"].set_index("id"))
    for key, values in {"em": -scores.em, "nll": scores.nll, "exposure": -exposed}.items():
        page.select_option("#sort", key)
        assert listed(page) == sorted(ids, key=lambda number: (values[number], number)), key
    sets = tables["sets"].set_index("id").set.loc[ids]
    assert page.locator("#sets .chip").first.inner_text() == "12 of 12: memorized"
    page.locator("#sets [data-set=memorized]").click()
    assert set(listed(page)) == set(sets.index[sets != "memorized"]) and "without=memorized" in page.url
    page.locator("#sets [data-set=memorized]").click()
    assert sorted(listed(page)) == ids
    page.fill("#search", f" {ids[-1]} {tables['paragraphs'].set_index('id').file[ids[-1]].upper()}")
    assert ids[-1] in listed(page) and len(listed(page)) < len(ids)
    found = page.locator(f"#list [data-id='{ids[-1]}'] .match")
    file = tables["paragraphs"].set_index("id").file[ids[-1]]
    # Not the inner text: it is empty until the row is painted.
    assert {f"id {ids[-1]}", f"file {file}"} == set(found.all_text_contents())
    assert found.locator("mark").all_text_contents() == [file, str(ids[-1])]
    n = len(tables["sets"])
    told, n_unseen = page.inner_text("#coverage"), (tables["sets"].set == "unseen").sum()
    assert f"all {n} paragraphs of the study ({n - n_unseen} seen in training; {n_unseen} unseen)." in told
    assert f"In colour: {len(ids)} " in told and page.inner_text("#list-value") == "exposure"


@pytest.mark.parametrize(
    ("view", "found"),
    [
        ("layer=0&head=1&token=5&by=nll&scope=paragraph", [0, 1, 5, "nll", "paragraph", "paragraphs"]),
        ("layer=9&head=4&token=24&tab=none", [None, None, -1, "effect", "set", "paragraphs"]),
    ],
)
def test_an_address_is_its_view_and_what_there_is_not_is_what_the_page_begins_with(page, view, found):
    page.evaluate("view => { location.hash = view; }", view)
    read = "token => memloc.state.get().token === token && !location.hash.includes('none')"
    page.wait_for_function(read, arg=found[2])
    state, first = page.evaluate("memloc.state.get()"), index_on(page)["interest"]
    expected = found[:2] if found[0] is not None else [first["layer"], first["head"]]
    assert [state[key] for key in ("layer", "head", "token", "by", "scope", "tab")] == [*expected, *found[2:]]


KEEP = """() => {
    memloc.downloads.save ??= memloc.downloads.csv;
    memloc.downloads.csv = (header, rows, name) => { memloc.kept = { header, rows, name }; };
}"""


def rows_of(page, button):
    """What a button would save as a file, as its header, its rows and its name."""
    page.evaluate(KEEP)
    page.locator(button).first.click()
    kept = page.evaluate("memloc.kept")
    return kept["header"], kept["rows"], kept["name"]


def cells(page, scope, card):
    """Numbers of a map by layer and head."""
    page.locator(f"[data-scope={scope}]").click()
    _, rows, _ = rows_of(page, "#maps-csv")
    return {(layer, head): value for name, _, layer, head, value in rows if name == card}


def test_numbers_of_tokens_are_those_of_the_head_that_the_queries_share(page, tables, pair):
    gradients = tables["activation_gradients"].query("id == @pair.id and component == 'v' and layer == 1")
    gradients = gradients[gradients.group == "memorized"]
    effects = tables["perturbation"].query("id == @pair.id").set_index("position").em
    for query, shared in ((3, 1), (1, 0)):
        page.evaluate("head => memloc.state.set({ head })", query)
        header, rows, name = rows_of(page, "#tokens-csv")
        found = [row[header.index("value_gradient")] for row in rows]
        expected = gradients[gradients["head"] == shared].sort_values("position").max_abs
        assert found[:23] == pytest.approx(expected.tolist()[:23])
    assert name == f"paragraph-{pair.id}-tokens" and [row[0] for row in rows] == list(range(24))
    lost = [row[header.index("effect")] for row in rows][:12]
    assert lost == [effects[-1] - effects[position] for position in range(12)]


def test_the_strongest_token_has_the_strongest_colour_and_its_numbers_are_told(page, tables, pair):
    at = page.locator("#tokens .token").nth(int(pair.position))
    assert at.get_attribute("style") == page.evaluate("memloc.colours.style(1)")
    assert "is-replaced" in at.get_attribute("class")
    assert page.locator(".is-impact").first.get_attribute("data-position") == str(pair.impact_position)
    told = page.inner_text("#token")
    texts = tables["vocabulary"].set_index("token").text
    assert f"Token {pair.position}" in told and "in its place leaves none of 12 tokens." in told
    assert texts[pair.token].replace("\n", "↵").replace(" ", "␣") in told
    before = tables["perturbation"].query("id == @pair.id and position == -1").em.iloc[0]
    assert page.inner_text("#legend").split("\n")[:3] == ["Lost if it is replaced:", "0", f"{before} tokens"]
    page.locator("#tokens .token").nth(20).click()
    told = page.inner_text("#token")
    assert "Token 20" in told and "a part of the continuation" in told


def test_maps_are_of_the_paragraph_or_of_its_set(page, tables, pair):
    rows = tables["patching"][tables["patching"].direction == "memorized_into_perturbed"]
    rows = rows[rows.component == rows.component.iloc[0]]
    own = rows[rows.id == pair.id].set_index(["layer", "head"]).nll_change
    means = rows.groupby(["layer", "head"]).nll_change.mean()
    for scope, expected in (("paragraph", own), ("set", means)):
        found = cells(page, scope, "patching")
        assert found == pytest.approx(expected.to_dict(), rel=1e-5, abs=1e-8)
        size = max(abs(value) for value in expected)
        low, high = page.evaluate("size => [memloc.number(-size), memloc.number(size)]", size)
        said = page.inner_text("#map .range")
        assert said.startswith(low) and high in said.removeprefix(low)
        chosen = page.evaluate("value => memloc.number(value)", expected[1, 1])
        told = page.locator("#map .readout", has_text="◆").inner_text()
        assert told.startswith(f"◆ Layer 1, head 1: {chosen}"), "of query 2"


def test_maps_of_a_set_are_those_of_the_chosen_paragraph(page, tables):
    sets, rows = tables["sets"].set_index("id").set, tables["head_ablation"]
    number = next(number for number in listed(page) if sets[number] == "non_memorized")
    page.evaluate("paragraph => memloc.state.set({ paragraph })", number)
    page.locator(f"body[data-shown='{number}']").wait_for()
    own = rows[rows.group == "non_memorized"]
    own = own.groupby(["layer", "head"]).nll_gained.mean()
    assert cells(page, "set", "head_ablation") == pytest.approx(own.to_dict(), rel=1e-5)
    page.locator("#thumbs [data-map=head_ablation]").click()
    assert page.inner_text("#map figcaption") == "Ablation non-memorized"


def test_paragraphs_lie_at_their_exact_match_and_the_higher_the_larger_their_nll(page):
    cloud = index_on(page)["cloud"]
    circles = "[...document.querySelectorAll('#scatter circle')]"
    read = f"{circles}.map(({{ cx, cy }}) => [cx.baseVal.value, -cy.baseVal.value])"
    places = np.transpose(page.evaluate(read)[: len(cloud["em"])])
    for name, found in zip(("em", "nll"), places, strict=True):
        assert np.corrcoef(cloud[name], found)[0, 1] == pytest.approx(1)


def click_cell(page, layer, head):
    """Of the large map, whose rows are layers: the last one comes first, as in the figures."""
    page.locator("#map tr").nth(1 - layer).locator("td").nth(head).click()


def test_a_map_marks_and_names_the_head_of_interest_and_then_the_chosen_one(page):
    """Two queries read a stored head; the layers of the table run upwards."""
    index = index_on(page)
    interest = index["interest"]["layer"], index["interest"]["head"] // 2
    for layer, head in ((1 - interest[0], 0), interest):
        page.evaluate("([layer, head]) => memloc.state.set({ layer, head })", [layer, 2 * head])
        rows = [row.locator("td") for row in page.locator("#map tr").all()]
        assert page.locator("#map th[scope=row]").all_inner_texts() == ["1", "0"]
        marked = {
            (1 - i, j): row.nth(j).get_attribute("class")
            for i, row in enumerate(rows[:2])
            for j in range(row.count())
            if row.nth(j).get_attribute("class")
        }
        found = {"chosen": (layer, head), "interest": interest}
        assert {name: [at for at, names in marked.items() if name in names] for name in found} == {
            name: [at] for name, at in found.items()
        }
        first, *others = page.locator("#map .readout").all_inner_texts()
        assert f" Layer {interest[0]}, head {interest[1]}: " in first and "the head of interest" in first
        assert len(others) == ((layer, head) != interest)
    thumb = page.locator("#thumbs [data-map=patching] i")
    assert "chosen" in thumb.nth((1 - interest[0]) * 2 + interest[1]).get_attribute("class")


@EVERYWHERE
def test_a_click_on_a_cell_colours_the_tokens_by_its_head(page, tables, pair):
    """Also in the view that the page opens with. A stored head is that of two queries."""
    assert state(page, "by") == ["effect"]
    click_cell(page, 0, 0)
    assert state(page, "layer", "head", "by") == [0, 0, "attention"]
    assert page.input_value("#colouring") == "attention"
    attention = tables["attention"].query("id == @pair.id and layer == 0 and head == 0")
    strongest = attention.loc[attention.attention.idxmax(), "position"]
    at = page.locator("#tokens .token").nth(int(strongest))
    assert at.get_attribute("style") == page.evaluate("memloc.colours.style(1)")
    page.select_option("#colouring", "value_gradient")
    click_cell(page, 1, 1)
    assert state(page, "layer", "head", "by") == [1, 2, "value_gradient"], "a colouring of heads stays"


@EVERYWHERE
def test_keys_do_what_the_foot_of_the_page_says(page, pair):
    ids = listed(page)
    at = min(ids.index(pair.id), len(ids) - 2)
    page.locator(f"#list [data-id='{ids[at]}']").click()
    presses = (("ArrowDown", 1, -1), ("ArrowUp", 0, -1), ("ArrowRight", 0, 0), ("ArrowRight", 0, 1))
    for key, by, token in (*presses, ("ArrowLeft", 0, 0), ("Escape", 0, -1)):
        page.keyboard.press(key)
        assert state(page, "paragraph", "token") == [ids[at + by], token], key
    page.keyboard.press("/")
    page.keyboard.type("zzzz")
    assert listed(page) == [] and page.inner_text("#n-shown").startswith("0 of")


@EVERYWHERE
def test_attention_to_a_token_is_a_map_and_none_behind_the_prefix(page, tables, pair):
    attention = tables["attention"].query("id == @pair.id").set_index(["position", "layer", "head"]).attention
    for position in (2, 11):
        page.evaluate("token => memloc.state.set({ token })", position)
        found = cells(page, "paragraph", "attention_to_token")
        own = attention[position].to_dict()
        assert {place: found[place] for place in own} == pytest.approx(own)
    page.evaluate("memloc.state.set({ token: 12 })")
    assert cells(page, "paragraph", "attention_to_token") == {}


def said_of(page, title):
    return page.locator(".continuation", has_text=title).first.inner_text()


def test_continuations_are_compared_with_the_paragraphs_own(page, tables, pair):
    own = tables["perturbation"].query("id == @pair.id").set_index("position")
    assert "Equal to the original: recited." in said_of(page, "Greedy")
    strongest = said_of(page, "Perturbed")
    assert f"Token {pair.position} " in strongest and f"change is token {pair.impact_position}" in strongest
    fewest = int(own.em[(own.index >= 0) & (own.index != pair.position)].min())
    survives = {12: "The whole continuation survives.", fewest: f"{fewest} token"}
    for em, said in survives.items():
        other = int(own[(own.em == em) & (own.index >= 0) & (own.index != pair.position)].index[0])
        page.evaluate("token => memloc.state.set({ token })", other)
        assert said in said_of(page, "Perturbed")
    tokens_of, shown = tables["paragraphs"].set_index("id").tokens, listed(page)
    equal = {
        row.id: sum(np.cumprod(row.continuation == tokens_of[row.id][12:]))
        for row in tables["near_verbatim"].itertuples()
        if row.id in shown
    }
    partly = next(number for number, n in equal.items() if 1 < n < 12)
    page.evaluate("paragraph => memloc.state.set({ paragraph, token: -1 })", partly)
    page.locator(f"body[data-shown='{partly}']").wait_for()
    assert f"Equal for {equal[partly]} tokens." in said_of(page, "Greedy")
    assert "No token of this paragraph was replaced." in said_of(page, "Perturbed")


def open_tab(page, key, title):
    page.locator(f"#tab-{key}").click()
    page.locator("#tab h2", has_text=title).wait_for()


def test_claims_are_sorted_chosen_and_saved(page, claims):
    open_tab(page, "claims", "Claims")
    for extreme in (claims.value.min(), claims.value.max()):
        page.locator("#tab thead button", has_text="Value").click()
        first = page.locator("#tab tbody tr").first.locator("td").first.inner_text()
        assert first.startswith(page.evaluate("end => memloc.number(end)", extreme))
        last = page.locator("#tab tbody tr").last.locator("td").first.inner_text()
        assert last.startswith("–"), "what has no value comes last"
    header, rows, name = rows_of(page, "#tab .block > .quiet")
    expected = ["statement", "source", "value", "value_low", "value_high", "quantity"]
    assert name == "claims" and header[:6] == expected
    by_statement = {row[0]: row for row in rows}
    for claim in claims.dropna(subset="low").head(3).itertuples():  # a later one begins at zero on the page
        assert by_statement[claim.statement][2:5] == pytest.approx([claim.value, claim.low, claim.high])
    chip = page.locator("#tab .chip", has_text="too few")
    assert chip.inner_text().endswith(f"too few {(claims.verdict == 'too few').sum()}")
    chip.click()
    assert page.locator("#tab tbody tr").count() == (claims.verdict == "too few").sum()
    assert {each.inner_text()[0] for each in page.locator("#tab td.cell-verdict .verdict").all()} == {"?"}


def test_what_few_ask_for_is_folded(page):
    open_tab(page, "study", "The study")
    folded = page.locator("#tab details:not([open])")
    assert folded.locator("h2").all_inner_texts() == ["Versions", "Tables on this page", "Settings"]
    assert not page.locator("#tab pre").is_visible() and not page.locator("#found").is_visible()
    folded.last.locator("summary").click()
    assert page.inner_text("#tab pre") == "seed: 7"


@EVERYWHERE
def test_back_and_escape_lead_from_a_tab_to_the_paragraphs(page, pair):
    for leave in (page.go_back, lambda: page.keyboard.press("Escape")):
        page.locator("#tab-claims").click()
        page.locator("#tab h2").first.wait_for()
        leave()
        page.locator("#paragraphs:not([hidden])").wait_for()
        assert state(page, "tab", "paragraph") == ["paragraphs", pair.id]
    page.go_forward()
    page.go_back()
    assert state(page, "paragraph") == [pair.id], "the page is still there"


@EVERYWHERE
def test_an_address_of_a_paragraph_that_is_not_here_says_so_and_is_mended(page):
    for wrong in ("999999", "x"):
        page.evaluate("wrong => { location.hash = `paragraph=${wrong}`; }", wrong)
        page.locator("#missing:not([hidden])", has_text=wrong).wait_for()
        example = index_on(page)["example"]
        said = f"This page has no paragraph {wrong}. Shown is what it opens with."
        assert page.inner_text("#missing") == said and f"paragraph={example}" in page.url
    page.evaluate("location.hash = 'tab=none&layer=9&by=nll&map=patching&nothing'")
    page.locator("#missing", has_text="no tab none, and no layer 9, and no nothing. Shown").wait_for()
    for button in ("#next", "#previous"):  # the example may be the first or the last one
        page.locator(button).click()
    assert page.locator("#missing").is_hidden()


def test_the_first_sentence_says_what_is_seen(page, tables, pair):
    """Of a recited paragraph and its costliest token, and of every other one how much of it is known."""
    texts, scores = tables["vocabulary"].set_index("token").text, tables["scores"].set_index("id").em
    token = texts[tables["paragraphs"].set_index("id").tokens[pair.id][pair.position]].strip()
    said = page.inner_text("#story")
    recites = "The model recites this paragraph"
    assert said.startswith(f"{recites}: given the first 12 tokens, it writes the other 12")
    lost = tables["perturbation"].query("id == @pair.id and em == 0").position.nunique()
    assert lost > 1 and pair.position < 11
    most = f"is the first of {lost} that cost most: it leaves none of 12 tokens."
    assert said.endswith(f" in place of {token}, marked ▲, {most}")
    told = {12: recites, 0: "The model does not know this paragraph"}
    for number in listed(page):
        page.evaluate("paragraph => memloc.state.set({ paragraph })", number)
        page.locator(f"body[data-shown='{number}']").wait_for()
        said = told.get(scores[number], f"given the first 12 tokens, it writes {scores[number]} of 12 tokens")
        assert said in page.inner_text("#story")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", browsers.SIZES)
def test_every_view_is_silent_accessible_and_fits(browser, folder, size, theme):
    explorer = browsers.Explorer.opened(browser, folder, **window(size, theme))
    page = explorer.page
    assert "Half is recited." in page.inner_text(".found")
    for tab in page.locator("[role=tab]").all():
        tab.click()
        if (name := tab.get_attribute("data-tab")) != "paragraphs":
            page.evaluate("name => memloc.load(`tab-${name}`).then(() => null)", name)
        page.locator("#tab:not([hidden]) h2, #paragraphs:not([hidden]) #story").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab.inner_text()
        assert browsers.faults(page) == [], tab.inner_text()
    page.locator("#tab-paragraphs").click()
    if size == "phone":
        tops = [page.locator(name).bounding_box()["y"] for name in ("#story", "#tokens", "#list", "#map")]
        assert tops == sorted(tops), "the text comes first"
        page.locator("#scores .term").last.tap()
        page.locator("#tip").wait_for()
    assert explorer.said == []
    explorer.close()


def test_a_saved_cell_with_commas_quotes_or_lines_stays_one_cell(page):
    with page.expect_download() as download:
        page.evaluate(r"""() => {
            const save = memloc.downloads.save ?? memloc.downloads.csv;
            save(["a", "b"], [['x,"y"', null], ["1\n2", 3]], "some");
        }""")
    assert download.value.path().read_text() == 'a,b\n"x,""y""",\n"1\n2",3\n'
