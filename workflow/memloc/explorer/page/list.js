// The list of paragraphs: sets, search, order.

(() => {
  const { byId, element } = memloc;
  const BEFORE = 24; // characters before a match
  const DESCENDING = new Set(["em", "exposure", "extraction"]);
  let index;
  let shown = [];

  const hidden = (state) => new Set((state.without || "").split(",").filter(Boolean));

  const wordsOf = (state) => (state.search || "").toLowerCase().split(/\s+/).filter(Boolean);

  function matching(state) {
    const words = wordsOf(state);
    const without = hidden(state);
    const found = index.paragraphs.filter((paragraph) => {
      const text = `${paragraph.text} ${paragraph.source} ${paragraph.id}`.toLowerCase();
      return !without.has(paragraph.set) && words.every((word) => text.includes(word));
    });
    if (state.sort === "page") {
      return found;
    }
    const sign = DESCENDING.has(state.sort) ? -1 : 1;
    const value = (paragraph) => paragraph[state.sort] ?? (sign === 1 ? Infinity : -Infinity);
    return found.sort((a, b) => sign * (value(a) - value(b)) || a.id - b.id);
  }

  /** Text as pieces, of which every second one is one of the words. */
  function pieces(text, words) {
    const longest = words.toSorted((a, b) => b.length - a.length); // before a word that it begins with
    const escaped = longest.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return words.length ? text.split(new RegExp(`(${escaped.join("|")})`, "i")) : [text];
  }

  const marked = (found) => found.map((piece, i) => (i % 2 ? element("mark", {}, piece) : piece));

  /** Text of a paragraph from its first match on, and where else it holds one of the words. */
  function snippet(paragraph, words) {
    const [before, ...rest] = pieces(paragraph.text.replace(/\s+/g, " ").trim(), words);
    const cut =
      rest.length && before.length > BEFORE ? `… ${before.slice(-BEFORE).replace(/^\S*\s/, "")}` : before;
    const elsewhere = { file: paragraph.source, id: String(paragraph.id) };
    return element(
      "span",
      {},
      element("span", { class: "snippet" }, ...marked([cut, ...rest])),
      ...Object.entries(elsewhere)
        .map(([name, text]) => [name, pieces(text, words)])
        .filter(([, found]) => found.length > 1)
        .map(([name, found]) => element("small", { class: "match" }, `${name} `, ...marked(found))),
    );
  }

  /** The score that the list shows. */
  const scoreOf = (state) => (state.sort === "page" ? "em" : state.sort);

  function option(paragraph, state) {
    const set = index.sets.find((each) => each.key === paragraph.set);
    const key = scoreOf(state);
    return element(
      "div",
      {
        role: "option",
        id: `paragraph-${paragraph.id}`,
        class: "paragraph",
        "data-id": paragraph.id,
        "aria-selected": String(paragraph.id === state.paragraph),
        tabindex: paragraph.id === state.paragraph ? 0 : -1,
        style: `--set: ${set.colour}`,
        onclick: () => memloc.state.set({ paragraph: paragraph.id, token: -1 }),
      },
      element("span", { class: "dot", "aria-hidden": "true" }),
      snippet(paragraph, wordsOf(state)),
      element("span", { class: "value" }, memloc.number(paragraph[key])),
      element("span", { class: "unseen-text" }, `, ${set.label}`),
    );
  }

  function draw(state) {
    shown = matching(state);
    const list = byId("list");
    list.replaceChildren(...shown.map((paragraph) => option(paragraph, state)));
    if (!list.querySelector("[tabindex='0']") && list.firstChild) {
      list.firstChild.tabIndex = 0;
    }
    const [n, all] = [shown.length, index.paragraphs.length];
    byId("list-value").textContent = index.scores.find(({ key }) => key === scoreOf(state)).label;
    byId("n-shown").textContent = n === all ? `all ${all}` : `${n} of ${all}`;
    nothing(state);
  }

  /** Says why the list is empty, and how to fill it again. */
  function nothing(state) {
    const box = byId("nothing");
    box.hidden = shown.length > 0;
    const what = state.search
      ? `No paragraph of the chosen sets holds “${state.search}”. `
      : "No set is chosen. ";
    const again = () => memloc.state.set({ search: "", without: "" });
    const button = element("button", { type: "button", class: "quiet", onclick: again }, "Show all");
    box.replaceChildren(...(box.hidden ? [] : [what, button]));
  }

  /** A set with its exact matches. */
  function named({ key, label }) {
    const em = [...new Set(index.exact[key])].join("–");
    return em ? `${em} of ${index.n_tokens - index.n_prefix}: ${label.split(" (")[0]}` : label;
  }

  function chips(state) {
    const without = hidden(state);
    const present = index.sets.filter((set) => index.paragraphs.some((each) => each.set === set.key));
    const toggle = (key) => {
      const now = hidden(memloc.state.get());
      now.delete(key) || now.add(key);
      memloc.state.set({ without: [...now].join(",") });
    };
    const made = present.map((set) =>
      element(
        "button",
        {
          type: "button",
          class: "chip",
          "data-set": set.key,
          "aria-pressed": String(!without.has(set.key)),
          title: memloc.meaning(set.label),
          style: `--set: ${set.colour}`,
          onclick: () => toggle(set.key),
        },
        element("span", { class: "dot", "aria-hidden": "true" }),
        named(set),
      ),
    );
    const measure = element(
      "span",
      { class: "note" },
      memloc.term("exact match", "Exact match"),
      ", in tokens:",
    );
    byId("sets").replaceChildren(measure, ...made);
  }

  function reveal(state) {
    for (const each of byId("list").children) {
      const chosen = Number(each.dataset.id) === state.paragraph;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      if (chosen) {
        const list = byId("list");
        const above = each.offsetTop < list.scrollTop;
        const below = each.offsetTop + each.offsetHeight > list.scrollTop + list.clientHeight;
        if (above || below) {
          list.scrollTop = each.offsetTop - list.clientHeight / 3;
        }
      }
    }
  }

  /** Choose the next or previous paragraph of the list. */
  function step(by) {
    const state = memloc.state.get();
    const at = shown.findIndex((paragraph) => paragraph.id === state.paragraph);
    const next = shown[Math.min(Math.max(at + by, 0), shown.length - 1)];
    if (next) {
      const inside = byId("list").contains(document.activeElement);
      memloc.state.set({ paragraph: next.id, token: -1 });
      if (inside) {
        byId("list").querySelector("[aria-selected='true']").focus();
      }
    }
  }

  memloc.list = {
    begin(content) {
      index = content;
      const scores = index.scores.filter(({ key }) => index.paragraphs.some((each) => each[key] !== null));
      memloc.fillSelect(
        byId("sort"),
        [["page", "id"], ...scores.map(({ key, label }) => [key, label])],
        memloc.state.get().sort,
      );
      byId("sort").addEventListener("change", (event) => memloc.state.set({ sort: event.target.value }));
      byId("search").addEventListener("input", (event) => memloc.state.set({ search: event.target.value }));
      byId("previous").addEventListener("click", () => step(-1));
      byId("next").addEventListener("click", () => step(1));
      const [all, here] = [index.n_paragraphs, index.paragraphs.length].map(memloc.number);
      const apart = index.sets.filter(({ key }) => !index.exact[key]);
      const seen = {
        label: "seen in training",
        n: apart.reduce((rest, { n }) => rest - n, index.n_paragraphs),
      };
      const sets = [seen, ...apart].map(({ n, label }) => `${memloc.number(n)} ${label}`).join("; ");
      byId("coverage").textContent =
        `Grey: all ${all} paragraphs of the study (${sets}). In colour: ${here} of them, on this page. Ring: the open one.`;
    },
    show(state, changed) {
      if (["search", "sort", "without"].some((name) => changed.has(name))) {
        byId("search").value = state.search || "";
        byId("sort").value = state.sort;
        chips(state);
        draw(state);
      }
      reveal(state);
      memloc.scatter.show(shown, state.paragraph);
    },
    step,
  };
})();
