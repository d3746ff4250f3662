// Maps of layers x heads: one at a time, the others as thumbnails. MLPs are columns beside the heads. Every map
// shows the same head.

(() => {
  const { byId, element } = memloc;
  const GAP = 0.4; // of a cell, between heads and MLPs
  const [LEFT, BELOW] = [16, 14]; // for the numbers of layers and heads
  const SMALL = { width: 84, height: 46 }; // pixels of a thumbnail
  let index;
  let ofSets;
  let drawn = [];

  const TO_TOKEN = {
    key: "attention_to_token",
    title: "Attention to the token",
    about: "How much each head looks at the chosen token when it writes the first token of the continuation.",
    unit: "share",
    diverging: false,
    ascending: false,
  };

  const setOf = (state) => index.paragraphs.find(({ id }) => id === state.paragraph).set;

  /** Variants of a map in the chosen scope, and what they are about; null where there are none. */
  function found(map, state, content) {
    if (map.key === TO_TOKEN.key) {
      const position = state.token >= 0 ? state.token : (content.perturbed?.position ?? -1);
      const heads = state.scope === "paragraph" ? memloc.tokens.attentionTo(position) : null;
      return heads && { variants: { [`token ${position}`]: { heads } }, of: "" };
    }
    if (state.scope === "paragraph") {
      return content.maps[map.key] ? { variants: content.maps[map.key], of: "" } : null;
    }
    const groups = ofSets[map.key] ?? {};
    const name = [setOf(state), "all", "memorized"].find((each) => groups[each]);
    const label = index.sets.find(({ key }) => key === name)?.label ?? "";
    return name ? { variants: groups[name], of: label } : null;
  }

  /** Cells as {row, column, value, label}, and how many rows and columns there are. */
  function cells(variant) {
    const made = [];
    const heads = variant.heads && memloc.unpack(variant.heads);
    const [rows, nHeads] = heads?.shape ?? [0, 0];
    for (let i = 0; i < rows * nHeads; i++) {
      const [row, column] = [Math.floor(i / nHeads), i % nHeads];
      made.push({ row, column, value: heads.values[i], head: column });
    }
    Object.entries(variant.columns ?? {}).forEach(([name, packed], i) => {
      memloc.unpack(packed).values.forEach((value, row) => {
        made.push({ row, column: nHeads + GAP + i, value, name });
      });
    });
    const n = Math.max(...made.map(({ column }) => column)) + 1;
    return { made, rows: Math.max(...made.map(({ row }) => row)) + 1, columns: n, nHeads };
  }

  /** The head of the map that holds the chosen query head: key/value heads may be shared. */
  const storedHead = (state, nHeads) => Math.floor((state.head * nHeads) / index.n_heads);

  /** First query head that reads a key/value head. */
  const unstored = (head, nHeads) => Math.ceil((head * index.n_heads) / nHeads);

  const scaleOf = ({ map, grid }) =>
    memloc.colours.scale(
      grid.made.map(({ value }) => value),
      map,
    );

  /** Numbers of layers and heads beside the cells, as many as there is room for. */
  function label(context, grid, w, h) {
    context.font = "10.5px system-ui, sans-serif";
    context.fillStyle = memloc.colours.named("soft");
    context.textAlign = "right";
    const [perRow, perColumn] = [Math.ceil(11 / h), Math.ceil(13 / w)];
    for (let row = 0; row < grid.rows; row += perRow) {
      context.fillText(String(row), -5, (row + 0.5) * h + 3.5);
    }
    context.textAlign = "center";
    for (let head = 0; head < grid.nHeads; head += perColumn) {
      context.fillText(String(head), (head + 0.5) * w, grid.rows * h + 11);
    }
    if (grid.columns > grid.nHeads) {
      const from = grid.nHeads ? grid.nHeads + GAP : 0;
      context.fillText("MLP", ((from + grid.columns) / 2) * w, grid.rows * h + 11);
    }
  }

  /** The cells of a map, and the outline of the chosen head. */
  function fill(context, card, width, height, state) {
    const { grid, map } = card;
    const scale = scaleOf(card);
    const [w, h] = [width / grid.columns, height / grid.rows];
    for (const { row, column, value } of grid.made) {
      context.fillStyle = Number.isFinite(value)
        ? memloc.colours.css(memloc.colours.at(scale.share(value), map.diverging))
        : memloc.colours.named("ground");
      context.fillRect(column * w + 0.5, row * h + 0.5, w - 1, h - 1);
    }
    if (grid.nHeads) {
      const column = storedHead(state, grid.nHeads);
      context.lineWidth = 2;
      context.strokeStyle = memloc.colours.named("card");
      context.strokeRect(column * w + 2.5, state.layer * h + 2.5, w - 5, h - 5);
      context.strokeStyle = memloc.colours.named("ink");
      context.strokeRect(column * w + 1, state.layer * h + 1, w - 2, h - 2);
    }
    return [w, h];
  }

  function paint(context, card, width, height, state) {
    context.save();
    context.translate(LEFT, 0);
    const size = fill(context, card, width - LEFT, height - BELOW, state);
    label(context, card.grid, ...size);
    context.restore();
  }

  /** A context for sharp pictures of this size on a canvas. */
  function sized(canvas, width, height) {
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return context;
  }

  function draw(card, state) {
    sizedSmall(card, state);
    if (!card.canvas) {
      return;
    }
    const width = card.canvas.clientWidth || 300;
    const height = BELOW + Math.min(Math.max(card.grid.rows * 30, 90), 420);
    paint(sized(card.canvas, width, height), card, width, height, state);
    const chosen = card.grid.made.find(
      ({ row, head }) => row === state.layer && head === storedHead(state, card.grid.nHeads),
    );
    tell(card, chosen);
    const { low, high } = scaleOf(card);
    card.range.replaceChildren(memloc.number(low), bar(card.map), `${memloc.number(high)} ${card.map.unit}`);
    card.canvas.setAttribute("aria-label", `${card.map.title}, ${card.variant}: ${said(chosen)}`);
  }

  function sizedSmall(card, state) {
    const { width, height } = SMALL;
    fill(sized(card.small, width, height), card, width, height, state);
  }

  const bar = ({ diverging, ascending }) =>
    element("span", { class: "bar", style: `background: ${memloc.colours.gradient(diverging, ascending)}` });

  const short = ({ row, head, name }) => `Layer ${row}, ${name ?? `head ${head}`}`;

  const said = (cell) => (cell ? `${short(cell)}: ${memloc.number(cell.value)}` : "");

  function tell(card, cell) {
    card.readout.textContent = said(cell);
  }

  function cellAt(card, event) {
    const box = card.canvas.getBoundingClientRect();
    const column = ((event.clientX - box.left - LEFT) / (box.width - LEFT)) * card.grid.columns;
    const row = Math.floor(((event.clientY - box.top) / (box.height - BELOW)) * card.grid.rows);
    return card.grid.made.find(
      (each) => each.row === row && column >= each.column && column < each.column + 1,
    );
  }

  /** A click brings a head, which then colours the tokens; an MLP brings its layer. */
  function choose(card, cell) {
    const state = memloc.state.get();
    const head =
      cell.head === undefined
        ? {}
        : { head: unstored(cell.head, card.grid.nHeads), by: memloc.tokens.ofHead(state) };
    memloc.state.set({ layer: cell.row, ...head });
  }

  function numbers(card) {
    const { made, rows } = card.grid;
    const first = made.filter(({ row }) => row === 0);
    const name = ({ head, name: own }) => own ?? String(head);
    return element(
      "table",
      {},
      element("caption", { class: "unseen-text" }, `${card.map.title}, ${card.variant}`),
      element(
        "tr",
        {},
        element("th", { scope: "col" }, "layer"),
        ...first.map((cell) => element("th", { scope: "col" }, name(cell))),
      ),
      ...Array.from({ length: rows }, (_, row) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, String(row)),
          ...made
            .filter((cell) => cell.row === row)
            .map(({ value }) => element("td", {}, memloc.number(value))),
        ),
      ),
    );
  }

  function details(card) {
    const made = element("details", {}, element("summary", {}, "Numbers"));
    made.addEventListener("toggle", () => {
      if (made.open && made.children.length === 1) {
        made.append(
          element(
            "div",
            { class: "scroll", tabindex: 0, role: "region", "aria-label": `Numbers of ${card.map.title}` },
            numbers(card),
          ),
        );
      }
    });
    return made;
  }

  /** A map with its variant; null where the scope has none. */
  function build(map, state, content) {
    const shown = found(map, state, content);
    if (!shown) {
      return null;
    }
    const names = Object.keys(shown.variants);
    const key = `map-${map.key}`;
    const variant = names.includes(state[key]) ? state[key] : names[0];
    return { map, key, names, variant, of: shown.of, grid: cells(shown.variants[variant]) };
  }

  /** The map that is large. */
  function large(card) {
    card.canvas = element("canvas", {
      role: "img",
      onclick: (event) => {
        const cell = cellAt(card, event);
        if (cell) {
          choose(card, cell);
        }
      },
      onmousemove: (event) => tell(card, cellAt(card, event)),
      onmouseleave: () => draw(card, memloc.state.get()),
    });
    card.readout = element("span", { class: "readout" });
    card.range = element("span", { class: "range" });
    const variants = element("select", {
      "aria-label": `Variant of ${card.map.title}`,
      onchange: (event) => memloc.state.set({ [card.key]: event.target.value }),
    });
    memloc.fillSelect(
      variants,
      card.names.map((each) => [each, each]),
      card.variant,
    );
    return element(
      "figure",
      { class: "map", "data-map": card.map.key },
      element("figcaption", {}, card.map.title, card.of ? element("small", {}, ` ${card.of}`) : null),
      element("p", { class: "note" }, card.map.about),
      card.names.length > 1 ? variants : element("p", { class: "variant" }, card.variant),
      card.canvas,
      card.readout,
      card.range,
      details(card),
    );
  }

  /** A button with a small picture of a map. */
  function thumb(card, chosen) {
    card.small = element("canvas", { "aria-hidden": "true" });
    return element(
      "button",
      {
        type: "button",
        class: "thumb",
        "data-map": card.map.key,
        "aria-pressed": String(chosen),
        title: card.map.about,
        onclick: () => memloc.state.set({ map: card.map.key }),
      },
      card.small,
      card.map.title,
    );
  }

  function rows() {
    return drawn.flatMap(({ map, variant, grid }) =>
      grid.made.map((cell) => [map.key, variant, cell.row, cell.head ?? cell.name, cell.value]),
    );
  }

  /** All maps on one sheet. */
  function picture(state) {
    const [width, height, perRow] = [260, 150, 3];
    const n = drawn.length;
    const sheet = memloc.downloads.sheet(width * Math.min(perRow, n), height * Math.ceil(n / perRow));
    drawn.forEach((card, i) => {
      const { context } = sheet;
      context.save();
      context.translate((i % perRow) * width + 10, Math.floor(i / perRow) * height + 10);
      context.fillStyle = memloc.colours.named("ink");
      context.font = "bold 12px system-ui, sans-serif";
      context.fillText(card.map.title, 0, 10);
      context.font = "11px system-ui, sans-serif";
      context.fillText(card.variant, 0, 25);
      const { low, high } = scaleOf(card);
      const range = `${memloc.number(low)} to ${memloc.number(high)} ${card.map.unit}`;
      context.fillText(range, 0, height - 18, width - 20);
      context.translate(0, 34);
      paint(context, card, width - 20, height - 74, state);
      context.restore();
    });
    return sheet.canvas;
  }

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
    byId("scope").replaceChildren(option("paragraph", "In this paragraph"), option("set", "In its set"));
  }

  function about(state, made) {
    const shown = new Set(made.map(({ map }) => map.key));
    const rest = index.maps.filter(({ key }) => !shown.has(key)).map(({ title }) => title.toLowerCase());
    const where = state.scope === "paragraph" ? "Shown “in its set”:" : "Not known for this set:";
    byId("maps-rest").textContent = rest.length ? `${where} ${rest.join(", ")}.` : "";
  }

  function rebuild(state, content) {
    switches(state);
    drawn = [TO_TOKEN, ...index.maps].map((map) => build(map, state, content)).filter(Boolean);
    const chosen = drawn.find(({ map }) => map.key === state.map) ?? drawn[0];
    byId("map").replaceChildren(...(chosen ? [large(chosen)] : ["There is no map of this paragraph."]));
    byId("thumbs").replaceChildren(...drawn.map((card) => thumb(card, card === chosen)));
    about(state, drawn);
  }

  memloc.maps = {
    begin(given) {
      index = given;
      byId("maps-png").addEventListener("click", () =>
        memloc.downloads.png(picture(memloc.state.get()), "maps"),
      );
      byId("maps-csv").addEventListener("click", () =>
        memloc.downloads.csv(["map", "variant", "layer", "head", "value"], rows(), "maps"),
      );
    },
    receive(content) {
      ofSets = content;
    },
    show(state, content, changed) {
      const kept = [...changed].every((name) => name === "layer" || name === "head" || name === "by");
      if (!kept || !drawn.length) {
        rebuild(state, content);
      }
      for (const card of drawn) {
        draw(card, state);
      }
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
