// Maps of layers x heads, one per method; MLPs are columns beside the heads. Every map shows the same head.

(() => {
  const { byId, element } = memloc;
  const GAP = 0.4; // of a cell, between heads and MLPs
  const [LEFT, BELOW] = [16, 14]; // for the numbers of layers and heads
  let index;
  let ofSets;
  let drawn = [];

  const TO_TOKEN = {
    key: "attention_to_token",
    title: "Attention to the token",
    about: "Attention of the first decoded token to the chosen token of the prefix.",
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

  /** Numbers of layers and heads beside the cells, as many as there is room for. */
  function label(context, grid, w, h) {
    context.font = "9.5px system-ui, sans-serif";
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

  function paint(context, grid, map, width, height, state) {
    const scale = memloc.colours.scale(
      grid.made.map(({ value }) => value),
      map,
    );
    const [w, h] = [(width - LEFT) / grid.columns, (height - BELOW) / grid.rows];
    context.save();
    context.translate(LEFT, 0);
    label(context, grid, w, h);
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
    context.restore();
    return scale;
  }

  function draw(card, state) {
    const ratio = devicePixelRatio || 1;
    const width = card.canvas.clientWidth || 160;
    const height = BELOW + Math.min(Math.max(card.grid.rows * 16, 40), 260);
    card.canvas.width = width * ratio;
    card.canvas.height = height * ratio;
    card.canvas.style.height = `${height}px`;
    const context = card.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const scale = paint(context, card.grid, card.map, width, height, state);
    const chosen = card.grid.made.find(
      ({ row, head }) => row === state.layer && head === storedHead(state, card.grid.nHeads),
    );
    tell(card, chosen);
    card.range.replaceChildren(memloc.number(scale.low), bar(card.map), memloc.number(scale.high));
    card.range.title = card.map.unit;
    card.canvas.setAttribute("aria-label", `${card.map.title}, ${card.variant}: ${said(chosen)}`);
  }

  const bar = ({ diverging, ascending }) =>
    element("span", { class: "bar", style: `background: ${memloc.colours.gradient(diverging, ascending)}` });

  const short = ({ row, head, name }) => `L${row} ${name ?? `H${head}`}`;

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
    const made = element("details", {}, element("summary", {}, "Meaning, numbers"));
    made.addEventListener("toggle", () => {
      if (made.open && made.children.length === 1) {
        made.append(
          element("p", { class: "note" }, `${card.map.about} In ${card.map.unit}.`),
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

  function build(map, state, content) {
    const shown = found(map, state, content);
    if (!shown) {
      return null;
    }
    const names = Object.keys(shown.variants);
    const key = `map-${map.key}`;
    const variant = names.includes(state[key]) ? state[key] : names[0];
    const card = { map, variant, grid: cells(shown.variants[variant]) };
    card.canvas = element("canvas", {
      role: "img",
      onclick: (event) => {
        const cell = cellAt(card, event);
        if (cell) {
          const head = cell.head === undefined ? {} : { head: unstored(cell.head, card.grid.nHeads) };
          memloc.state.set({ layer: cell.row, ...head });
        }
      },
      onmousemove: (event) => tell(card, cellAt(card, event)),
      onmouseleave: () => draw(card, memloc.state.get()),
    });
    card.readout = element("span", { class: "readout" });
    card.range = element("span", { class: "range" });
    const choose = element("select", {
      "aria-label": `Variant of ${map.title}`,
      onchange: (event) => memloc.state.set({ [key]: event.target.value }),
    });
    memloc.fillSelect(
      choose,
      names.map((each) => [each, each]),
      variant,
    );
    card.figure = element(
      "figure",
      { class: "map", "data-map": map.key, title: map.about },
      element("figcaption", {}, map.title, shown.of ? element("small", {}, ` ${shown.of}`) : null),
      names.length > 1 ? choose : element("p", { class: "variant" }, variant),
      card.canvas,
      card.readout,
      card.range,
      details(card),
    );
    return card;
  }

  /** First query head that reads a key/value head. */
  const unstored = (head, nHeads) => Math.ceil((head * index.n_heads) / nHeads);

  function rows() {
    return drawn.flatMap(({ map, variant, grid }) =>
      grid.made.map((cell) => [map.key, variant, cell.row, cell.head ?? cell.name, cell.value]),
    );
  }

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
      const { low, high } = memloc.colours.scale(
        card.grid.made.map(({ value }) => value),
        card.map,
      );
      const range = `${memloc.number(low)} to ${memloc.number(high)} ${card.map.unit}`;
      context.fillText(range, 0, height - 18, width - 20);
      context.translate(0, 34);
      paint(context, card.grid, card.map, width - 20, height - 74, state);
      context.restore();
    });
    return sheet.canvas;
  }

  function switches(state) {
    const option = (key, label) =>
      element(
        "button",
        {
          type: "button",
          role: "radio",
          "data-scope": key,
          "aria-checked": String(state.scope === key),
          onclick: () => memloc.state.set({ scope: key }),
        },
        label,
      );
    byId("scope").replaceChildren(option("paragraph", "This paragraph"), option("set", "Its set"));
  }

  function about(state, made) {
    const shown = new Set(made.map(({ map }) => map.key));
    const rest = index.maps.filter(({ key }) => !shown.has(key)).map(({ title }) => title.toLowerCase());
    const where =
      state.scope === "paragraph" ? "for sets only, or not for this paragraph" : "not for this set";
    byId("maps-rest").textContent = rest.length ? `Known ${where}: ${rest.join(", ")}.` : "";
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
        switches(state);
        drawn = [TO_TOKEN, ...index.maps].map((map) => build(map, state, content)).filter(Boolean);
        byId("maps").replaceChildren(...drawn.map(({ figure }) => figure));
        about(state, drawn);
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
