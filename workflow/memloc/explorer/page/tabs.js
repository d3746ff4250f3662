// Tables beside the paragraphs. A tab is data: blocks of text and tables, whose columns say how cells are shown.

(() => {
  const { byId, element, svg } = memloc;
  // Mark and class of a verdict.
  const VERDICTS = {
    holds: ["✓", "good"],
    "does not hold": ["✗", "bad"],
    "no difference that matters": ["=", "equal"],
    "too few": ["?", "open"],
    "not applicable": ["–", "none"],
    error: ["!", "bad"],
  };
  // Elsewhere, as in a report, the page stands alone.
  const BESIDE_FIGURES = location.pathname.endsWith("/explorer/index.html");
  byId("all-figures").hidden = !BESIDE_FIGURES;

  /** A value on a line, with its interval and what it is compared with. */
  function line({ value, low, high, bound }, range) {
    const known = [value, low, high, bound, ...range].filter((each) => each !== null && each !== undefined);
    const [from, to] = [Math.min(...known), Math.max(...known)];
    const at = (each) => 4 + (112 * (each - from)) / (to - from || 1);
    const picture = svg("svg", { viewBox: "0 0 120 16", class: "interval", "aria-hidden": "true" });
    picture.append(svg("line", { x1: 4, x2: 116, y1: 8, y2: 8, class: "axis" }));
    if (low !== null && high !== null) {
      picture.append(svg("line", { x1: at(low), x2: at(high), y1: 8, y2: 8, class: "range" }));
    }
    if (bound !== null && bound !== undefined) {
      picture.append(svg("line", { x1: at(bound), x2: at(bound), y1: 2, y2: 14, class: "bound" }));
    }
    picture.append(svg("circle", { cx: at(value), cy: 8, r: 3.5 }));
    return picture;
  }

  const between = ({ low, high }) =>
    low === null || high === null ? "" : ` (${memloc.number(low)} to ${memloc.number(high)})`;

  const CELLS = {
    text: (value) => value ?? "",
    head: (value, row) =>
      element(
        "a",
        {
          href: "#",
          onclick: (event) => {
            event.preventDefault();
            memloc.state.set({ layer: row.layer, head: row.number, by: "attention", tab: "paragraphs" });
          },
        },
        value,
      ),
    rank: (value) =>
      element("span", {}, element("b", {}, memloc.number(value.value)), element("small", {}, between(value))),
    interval: (value, _row, range) =>
      value.value === null
        ? "–"
        : element(
            "span",
            { class: "with-line" },
            `${memloc.number(value.value)}${between(value)}`,
            line(value, range),
          ),
    verdict: (value) =>
      element(
        "span",
        { class: `verdict ${VERDICTS[value][1]}` },
        element("span", { "aria-hidden": "true" }, `${VERDICTS[value][0]} `),
        value,
      ),
    figures: (names) =>
      element(
        "span",
        {},
        ...names.flatMap((name, i) => [i ? ", " : "", BESIDE_FIGURES ? pictureLink(name) : name]),
      ),
  };

  function pictureLink(name) {
    return element("a", { href: `../figures/${name}.png`, target: "_blank", rel: "noopener" }, name);
  }

  const plain = (value) => {
    if (Array.isArray(value)) {
      return value.join(" ");
    }
    return value !== null && typeof value === "object" ? value.value : value;
  };

  function sorted(rows, key, descending) {
    const sign = descending ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [one, other] = [plain(a[key]), plain(b[key])];
      if (one === null || other === null) {
        return (one === null) - (other === null);
      }
      return sign * (typeof one === "number" ? one - other : String(one).localeCompare(String(other)));
    });
  }

  function csv(block) {
    const ends = ({ kind }) => kind === "interval" || kind === "rank";
    const header = block.columns.flatMap((column) => {
      const { key, note } = column;
      return [key, ...(ends(column) ? [`${key}_low`, `${key}_high`] : []), ...(note ? [note] : [])];
    });
    const rows = block.rows.map((row) =>
      block.columns.flatMap((column) => {
        const { key, note } = column;
        const both = ends(column) ? [row[key].low, row[key].high] : [];
        return [plain(row[key]), ...both, ...(note ? [row[note]] : [])];
      }),
    );
    memloc.downloads.csv(header, rows, block.title.toLowerCase().replaceAll(" ", "-"));
  }

  function body(block, view) {
    const rows = block.rows.filter((row) => !view.only || row[block.filter] === view.only);
    const ordered = view.key ? sorted(rows, view.key, view.descending) : rows;
    return ordered.map((row) =>
      element(
        "tr",
        {},
        ...block.columns.map(({ key, label, kind, note, range }, i) =>
          element(
            i ? "td" : "th",
            { class: `cell-${kind}`, "data-label": label, ...(i ? {} : { scope: "row" }) },
            CELLS[kind](row[key], row, range ?? [0]),
            note ? element("small", { class: "below" }, row[note]) : null,
          ),
        ),
      ),
    );
  }

  function chips(block, view, redraw) {
    const values = [...new Set(block.rows.map((row) => row[block.filter]))];
    const chip = (label, only) =>
      element(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(view.only === only),
          onclick: () => {
            view.only = only;
            redraw();
          },
        },
        label,
      );
    const count = (value) => block.rows.filter((row) => row[block.filter] === value).length;
    return element(
      "div",
      { class: "chips", role: "group", "aria-label": `Rows of ${block.title}` },
      chip(`all ${block.rows.length}`, null),
      ...values.map((value) => chip(`${VERDICTS[value]?.[0] ?? ""} ${value} ${count(value)}`.trim(), value)),
    );
  }

  function head(block, view, redraw) {
    return element(
      "tr",
      {},
      ...block.columns.map(({ key, label }) =>
        element(
          "th",
          {
            scope: "col",
            "aria-sort": view.key === key ? (view.descending ? "descending" : "ascending") : "none",
          },
          element(
            "button",
            {
              type: "button",
              onclick: () => {
                view.descending = view.key === key && !view.descending;
                view.key = key;
                redraw();
              },
            },
            label,
            view.key === key ? (view.descending ? " ↓" : " ↑") : "",
          ),
        ),
      ),
    );
  }

  function table(block) {
    const box = element("div", { class: "block" });
    const view = { key: null, descending: false, only: block.only ?? null };
    const redraw = () =>
      box.replaceChildren(
        block.filter ? chips(block, view, redraw) : "",
        element(
          "div",
          { class: "scroll", tabindex: 0, role: "region", "aria-label": `Table: ${block.title}` },
          element(
            "table",
            { class: "data" },
            element("caption", { class: "unseen-text" }, block.title),
            element("thead", {}, head(block, view, redraw)),
            element("tbody", {}, ...body(block, view)),
          ),
        ),
        element("button", { class: "quiet", type: "button", onclick: () => csv(block) }, "CSV"),
      );
    redraw();
    return box;
  }

  const text = (block) =>
    element("pre", { class: "scroll", tabindex: 0, role: "region", "aria-label": block.title }, block.text);

  /** A block under its title, which opens and closes it. */
  const shown = (block) =>
    element(
      "details",
      { class: "card", open: !block.folded },
      element("summary", {}, element("h2", {}, block.title)),
      block.kind === "table" ? table(block) : text(block),
    );

  memloc.tabs = {
    begin() {
      const all = [...document.querySelectorAll("[role=tab]")];
      for (const [i, tab] of all.entries()) {
        tab.addEventListener("click", () => memloc.state.set({ tab: tab.dataset.tab }));
        tab.addEventListener("keydown", (event) => {
          const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (by) {
            event.preventDefault();
            event.stopPropagation();
            const next = all[(i + by + all.length) % all.length];
            next.focus();
            memloc.state.set({ tab: next.dataset.tab });
          }
        });
      }
    },
    async show({ tab }) {
      for (const each of document.querySelectorAll("[role=tab]")) {
        const chosen = each.dataset.tab === tab;
        each.setAttribute("aria-selected", String(chosen));
        each.tabIndex = chosen ? 0 : -1;
      }
      byId("main").setAttribute("aria-labelledby", `tab-${tab}`);
      byId("found").hidden = tab !== "paragraphs";
      byId("paragraphs").hidden = tab !== "paragraphs";
      const page = byId("tab");
      page.hidden = tab === "paragraphs";
      const content = page.hidden ? null : await memloc.load(`tab-${tab}`);
      // Meanwhile, another tab may have been chosen.
      if (content && memloc.state.get().tab === tab) {
        page.replaceChildren(element("p", { class: "lead" }, content.lead), ...content.blocks.map(shown));
      }
    },
  };
})();
