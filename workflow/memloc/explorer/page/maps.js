// Maps of layers x heads, layer 0 at the bottom as in the figures: one at a time, the others as thumbnails.
// MLPs are columns beside the heads. Every map marks the chosen head and the head of interest.

(() => {
  const { byId, element } = memloc;
  let index;
  let ofSets;
  let drawn = [];
  const HOW = "Click a cell: its head gets the ◆ and colours the tokens.";

  const TO_TOKEN = {
    key: "attention_to_token",
    title: "Attention to the token",
    about:
      "Where heads look, which is not where text is stored: the share of a head's attention that goes to the " +
      "token marked ▲, or to the one that you choose, when the model writes the first token of the continuation.",
    unit: "share",
  };

  const setOf = (state) => index.paragraphs.find(({ id }) => id === state.paragraph).set;

  const labelOf = (key) => index.sets.find((set) => set.key === key)?.label ?? "";

  /** Variants of a map in the chosen scope, and what they are about; null where there are none. */
  function found(map, state, content) {
    if (map.key === TO_TOKEN.key) {
      const position = state.token >= 0 ? state.token : (content.perturbed?.position ?? -1);
      const heads = state.scope === "paragraph" ? memloc.tokens.attentionTo(position) : null;
      const own =
        position === index.n_prefix - 1 ? ". The model writes on from here: this is attention to itself" : "";
      return heads && { variants: { [memloc.tokens.name(position) + own]: { heads } }, of: "" };
    }
    if (state.scope === "paragraph") {
      return content.maps[map.key] ? { variants: content.maps[map.key], of: "" } : null;
    }
    const groups = ofSets[map.key] ?? {};
    const name = [setOf(state), "all", "memorized"].find((each) => groups[each]);
    return name ? { variants: groups[name], of: labelOf(name) } : null;
  }

  /** Rows of cells {layer, value, head or name}, layer 0 first; heads come before MLPs. */
  function rowsOf({ heads, columns = {} }) {
    const rows = [];
    const add = (packed, named) => {
      const { shape, values } = memloc.unpack(packed);
      const n = shape[1] ?? 1;
      values.forEach((value, i) => {
        const layer = Math.floor(i / n);
        rows[layer] ??= [];
        rows[layer].push({ layer, value, ...named(i % n) });
      });
    };
    if (heads) {
      add(heads, (head) => ({ head }));
    }
    for (const [name, packed] of Object.entries(columns)) {
      add(packed, () => ({ name }));
    }
    return rows;
  }

  /** A map with its variant and cells; null where the scope has none. */
  function build(map, state, content) {
    const shown = found(map, state, content);
    if (!shown) {
      return null;
    }
    const names = Object.keys(shown.variants);
    const key = `map-${map.key}`;
    const variant = names.includes(state[key]) ? state[key] : names[0];
    const rows = rowsOf(shown.variants[variant]);
    const [cells, nHeads] = [rows.flat(), shown.variants[variant].heads?.shape[1] ?? 0];
    const values = cells.map(({ value }) => value);
    // Key/value heads may be shared: the cell of a query head, and the first query head of a cell.
    const cellOf = ({ layer, head }) =>
      cells.find((cell) => cell.layer === layer && cell.head === Math.floor((head * nHeads) / index.n_heads));
    const queryOf = ({ head }) => Math.ceil((head * index.n_heads) / nHeads);
    const marked = { chosen: cellOf(state), interest: index.interest && cellOf(index.interest) };
    return {
      ...{ map, key, names, variant, of: shown.of, rows, cells, queryOf },
      ...{ scale: memloc.colours.scale(values, map), ...marked },
    };
  }

  const said = ({ layer, head, name, value }, { map, cells }) =>
    `Layer ${layer}, ${name ?? `head ${head}`}: ${memloc.measured(value, map.unit)}` +
    (map.ascending ? ` of ${cells.length}` : "");

  /** An element for each cell, in rows from the last layer down to layer 0. */
  const coloured = (card, tag) =>
    card.rows.toReversed().map((row) =>
      row.map((cell) => {
        const marks = { mlp: cell.name, chosen: cell === card.chosen, interest: cell === card.interest };
        return element(
          tag,
          {
            class: Object.keys(marks)
              .filter((name) => marks[name])
              .join(" "),
            style: memloc.colours.style(card.scale.share(cell.value), card.map.diverging),
            "data-cell": card.cells.indexOf(cell),
          },
          tag === "td" ? memloc.number(cell.value) : "",
        );
      }),
    );

  /** The marked heads and their values, the head of interest first. */
  function marks(card) {
    const { chosen, interest } = card;
    const line = (...parts) => element("p", { class: "readout" }, ...parts);
    const mark = chosen === interest ? "◆ " : "▢ ";
    const about = [", the ", memloc.term("head of interest"), `: ${index.interest?.why}`];
    return [
      interest ? line(mark, said(interest, card), ...about) : "",
      chosen && chosen !== interest ? line("◆ ", said(chosen, card)) : "",
    ];
  }

  /** The map that is large: a table, of which one reads or hears all numbers. */
  function large(card) {
    const { map, key, names, variant, rows, cells } = card;
    const pointed = element("p", { class: "note" }, HOW);
    const cellAt = (event) => cells[event.target.dataset.cell];
    const tell = (event) => {
      const cell = cellAt(event);
      pointed.textContent = cell ? said(cell, card) : HOW;
    };
    const choose = (event) => {
      const cell = cellAt(event);
      if (cell) {
        const by = memloc.tokens.ofHead(memloc.state.get());
        memloc.state.set({ layer: cell.layer, ...(cell.name ? {} : { head: card.queryOf(cell), by }) });
      }
    };
    const variants = element("select", {
      "aria-label": `Variant of ${map.title}`,
      onchange: (event) => memloc.state.set({ [key]: event.target.value }),
    });
    memloc.fillSelect(
      variants,
      names.map((each) => [each, each]),
      variant,
    );
    const th = (scope, text) => element("th", { scope }, String(text));
    return element(
      "figure",
      { class: "map", "data-map": map.key },
      element("figcaption", {}, map.title, card.of ? element("small", {}, ` ${card.of}`) : null),
      element("p", { class: "note" }, map.about),
      names.length > 1 ? variants : element("p", { class: "variant" }, variant),
      element(
        "table",
        {
          "aria-label": `${map.title}, ${variant}`,
          style: `--rows: ${rows.length}`,
          onclick: choose,
          onmouseover: tell,
          onmouseleave: tell,
        },
        element("caption", {}, "Columns: heads. Rows: layers, 0 at the bottom."),
        ...coloured(card, "td").map((row, i) => element("tr", {}, th("row", rows.length - 1 - i), ...row)),
        element("tr", {}, th("col", ""), ...rows[0].map(({ head, name }) => th("col", name ?? head))),
      ),
      element(
        "span",
        { class: "range" },
        memloc.number(card.scale.low),
        memloc.colours.bar(map.diverging, map.ascending),
        memloc.measured(card.scale.high, map.unit),
      ),
      ...marks(card),
      pointed,
    );
  }

  /** A button with a small picture of a map. */
  const thumb = (card, chosen) =>
    element(
      "button",
      {
        type: "button",
        class: "thumb",
        "data-map": card.map.key,
        "aria-pressed": String(chosen),
        title: card.map.about,
        onclick: () => memloc.state.set({ map: card.map.key }),
      },
      element(
        "span",
        { class: "small", "aria-hidden": "true", style: `--columns: ${card.rows[0].length}` },
        ...coloured(card, "i").flat(),
      ),
      card.map.title,
    );

  const meanOf = (state) => `Mean of all ${labelOf(setOf(state))}`;

  function switches(state) {
    const option = (key, text) =>
      element(
        "button",
        {
          type: "button",
          role: "radio",
          "data-scope": key,
          "aria-checked": String(state.scope === key),
          onclick: () => memloc.state.set({ scope: key }),
        },
        text,
      );
    byId("scope").replaceChildren(option("paragraph", "This paragraph"), option("set", meanOf(state)));
  }

  function about(state) {
    const shown = new Set(drawn.map(({ map }) => map.key));
    const rest = index.maps.filter(({ key }) => !shown.has(key)).map(({ title }) => title.toLowerCase());
    const where = state.scope === "paragraph" ? `See “${meanOf(state)}” for` : "Not known for this set:";
    byId("maps-rest").textContent = rest.length ? `${where} ${rest.join(", ")}.` : "";
  }

  memloc.maps = {
    begin(given) {
      index = given;
      byId("maps-csv").addEventListener("click", () => {
        const rows = drawn.flatMap(({ map, variant, cells }) =>
          cells.map(({ layer, head, name, value }) => [map.key, variant, layer, head ?? name, value]),
        );
        memloc.downloads.csv(["map", "variant", "layer", "head", "value"], rows, "maps");
      });
    },
    show(state, content, sets) {
      ofSets = sets;
      switches(state);
      drawn = [TO_TOKEN, ...index.maps].map((map) => build(map, state, content)).filter(Boolean);
      const chosen = drawn.find(({ map }) => map.key === state.map) ?? drawn[0];
      byId("map").replaceChildren(chosen ? large(chosen) : "There is no map of this paragraph.");
      byId("thumbs").replaceChildren(...drawn.map((card) => thumb(card, card === chosen)));
      about(state);
    },
    /** Choose the next or previous head, from one layer to the next. */
    step(by) {
      const { layer, head } = memloc.state.get();
      const n = index.n_layers * index.n_heads;
      const next = (layer * index.n_heads + head + by + n) % n;
      memloc.state.set({ layer: Math.floor(next / index.n_heads), head: next % index.n_heads });
    },
  };
})();
