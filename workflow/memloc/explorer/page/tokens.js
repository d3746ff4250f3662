// The text of a paragraph, token by token: colours, marks, and all numbers of one token.

(() => {
  const { byId, element } = memloc;
  let index;
  let content;
  let hovered = -1;

  const colouringOf = (state) =>
    available().find(({ key }) => key === state.by) ??
    available().find(({ key }) => key === "effect") ??
    RARITY();
  const RARITY = () => index.colourings.find(({ key }) => key === "rarity");
  const available = () =>
    index.colourings.filter(({ key }) => key === "rarity" || content.values[key] !== undefined);

  /** Key/value heads are shared where query heads outnumber them. */
  const stored = (head, n) => Math.floor((head * n) / index.n_heads);

  /** Numbers of all tokens by a colouring; NaN where it has none. */
  function numbers(colouring, state) {
    if (colouring.key === "rarity") {
      return content.counts;
    }
    const { shape, values } = memloc.unpack(content.values[colouring.key]);
    const n = index.n_tokens;
    let start = 0;
    if (colouring.of === "head") {
      start = (state.layer * shape[1] + stored(state.head, shape[1])) * n;
    }
    return values.slice(start, start + n);
  }

  function legend(colouring, scale) {
    const empty = !Number.isFinite(scale.low);
    byId("legend").replaceChildren(
      element("span", {}, `${colouring.title}:`),
      element(
        "span",
        { class: "range" },
        element("span", {}, empty ? "no numbers here" : memloc.number(scale.low)),
        memloc.colours.bar(colouring.diverging, colouring.logarithmic),
        element("span", {}, empty ? "" : memloc.measured(scale.high, colouring.unit)),
      ),
      ...marks(),
    );
  }

  function marks() {
    if (!content.perturbed) {
      return [];
    }
    return [
      element("span", { class: "key" }, "▲ ", memloc.term("strongest replacement"), ": costs most"),
      element(
        "span",
        { class: "key" },
        "● ",
        memloc.term("impact token"),
        ": the first that then changes in the continuation",
      ),
    ];
  }

  function colour(state) {
    const colouring = colouringOf(state);
    const values = numbers(colouring, state);
    const scale = memloc.colours.scale(values, colouring);
    for (const span of byId("tokens").querySelectorAll(".token")) {
      const share = scale.share(values[span.dataset.position]);
      span.setAttribute("style", memloc.colours.style(share, colouring.diverging) ?? "");
    }
    legend(colouring, scale);
    const of = { head: ` Layer ${state.layer}, head ${state.head}.`, token: "" };
    byId("colouring-about").textContent = colouring.about + of[colouring.of];
  }

  function span(text, position) {
    const marked = content.perturbed;
    const classes = ["token"];
    if (marked?.position === position) {
      classes.push("is-replaced");
    }
    if (marked?.impact === position) {
      classes.push("is-impact");
    }
    return element(
      "span",
      {
        class: classes.join(" "),
        role: "option",
        "data-position": position,
        "aria-selected": "false",
        tabindex: -1,
        onclick: () => memloc.state.set({ token: position }),
        onmouseenter: () => hover(position),
        onmouseleave: () => hover(-1),
        // Screen readers say nothing for a token of spaces.
        ...(text.trim() ? {} : { "aria-label": memloc.visible(text) || "nothing" }),
      },
      text.replaceAll("\n", "↵\n").replaceAll("\t", "⇥\t") || "∅",
    );
  }

  function build() {
    const spans = content.tokens.map(span);
    const part = (label, about, from, to) =>
      element(
        "div",
        { role: "group", "aria-label": label, "data-part": label },
        element("span", { class: "part", "aria-hidden": "true" }, about),
        element("div", { class: "text" }, ...spans.slice(from, to)),
      );
    byId("tokens").replaceChildren(
      part("Prefix", "Given to the model", 0, index.n_prefix),
      part("Continuation", "The text goes on", index.n_prefix, index.n_tokens),
    );
  }

  function hover(position) {
    hovered = position;
    facts(memloc.state.get());
  }

  /** Name, value and unit of every number of a token. */
  function factsOf(position, state) {
    const rows = [["Occurrences", content.counts[position], "in the study's paragraphs"]];
    if (position < index.n_prefix) {
      rows.push(["Rank of rarity", content.ranks[position], "in the prefix, from 0"]);
    }
    for (const colouring of available()) {
      const value = colouring.key === "rarity" ? NaN : numbers(colouring, state)[position];
      if (Number.isFinite(value)) {
        const of = { head: `, L${state.layer} H${state.head}`, token: "" };
        rows.push([colouring.title + of[colouring.of], value, colouring.unit]);
      }
    }
    return rows;
  }

  /** A token by its position, which counts from 0, and by its place where this is an end. */
  function name(position) {
    const n = index.n_prefix;
    const ends = {
      0: "first of the prefix",
      [n - 1]: "last of the prefix",
      [n]: "first of the continuation",
    };
    return `token ${position} (from 0)${position in ends ? `, the ${ends[position]}` : ""}`;
  }

  /** The token under the pointer, else the chosen one, else the one whose replacement is the strongest. */
  function looked(state) {
    const given = hovered >= 0 ? hovered : state.token;
    return given >= 0 ? given : (content.perturbed?.position ?? 0);
  }

  /** What happens without a token of the prefix, in words. */
  function withoutIt(position) {
    const n = index.n_tokens - index.n_prefix;
    const replaced = content.replaced.filter((each) => each.position === position);
    const put = replaced.map(({ text, em }, i) => [
      i ? "; " : "",
      element("code", {}, memloc.visible(text)),
      ` in its place leaves ${memloc.share(em, n)}`,
    ]);
    if (put.length) {
      return [...put.flat(), "."];
    }
    return [position < index.n_prefix ? "It was not replaced." : "It is a part of the continuation."];
  }

  function facts(state) {
    const position = looked(state);
    const open = byId("token").querySelector("details")?.open ?? false;
    byId("token").replaceChildren(
      element(
        "h3",
        {},
        `T${name(position).slice(1)} `,
        element("code", {}, memloc.visible(content.tokens[position])),
      ),
      element("p", {}, ...withoutIt(position)),
      element(
        "details",
        { open },
        element("summary", {}, "All its numbers"),
        element(
          "dl",
          { class: "scores" },
          ...factsOf(position, state).map(([name, value, unit]) =>
            element("div", {}, element("dt", {}, name), element("dd", {}, memloc.measured(value, unit))),
          ),
        ),
      ),
      state.token < 0 ? element("p", { class: "note" }, "Point at a token, or tap one to keep it.") : "",
    );
  }

  function choose(state) {
    for (const each of byId("tokens").querySelectorAll(".token")) {
      const chosen = Number(each.dataset.position) === state.token;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen || (state.token < 0 && each.dataset.position === "0") ? 0 : -1;
    }
  }

  function fields(state) {
    const chosen = colouringOf(state);
    memloc.fillSelect(
      byId("colouring"),
      available().map(({ key, title }) => [key, title]),
      chosen.key,
    );
    const numbered = (n) => Array.from({ length: n }, (_, i) => [i, i]);
    memloc.fillSelect(byId("layer"), numbered(index.n_layers), state.layer);
    memloc.fillSelect(byId("head"), numbered(index.n_heads), state.head);
    byId("layer-field").hidden = chosen.of === "token";
    byId("head-field").hidden = chosen.of !== "head";
  }

  /** The numbers of a paragraph in words, by score. */
  const WORDS = {
    em: (value, n) => `${memloc.share(value, n)} right${value < n ? " before the first mistake" : ""}`,
    nll: (value) => `a token has a probability of ${memloc.percent(Math.exp(-value))}, on average`,
    exposure: (value) => `its continuation occurs ${memloc.times(value)}`,
    extraction: (value) =>
      value > 0
        ? `about one in ${memloc.number(Math.max(1, Number((1 / value).toPrecision(2))))} samples is it`
        : "never",
  };

  /** One sentence on what is seen, and one on the token that matters most, in text and elements. */
  function story(paragraph) {
    const n = index.n_tokens - index.n_prefix;
    const { em } = paragraph;
    const given = `given the first ${index.n_prefix} tokens, it writes`;
    const seen = {
      [n]: `The model recites this paragraph: ${given} the other ${n}, word for word.`,
      0: "The model does not know this paragraph: its first token is already another one.",
    };
    const told = seen[em] ?? `The model knows a part of this paragraph: ${given} ${memloc.share(em, n)}.`;
    if (!content.perturbed) {
      const tried = content.replaced.length > 0;
      return [told, tried ? " No replaced token makes it write anything else." : ""];
    }
    const { position, em: left, text } = content.perturbed;
    const token = content.tokens[position].trim() || memloc.visible(content.tokens[position]);
    const last = position === index.n_prefix - 1 ? " It is the last one, on which any text hangs." : "";
    const code = (shown) => element("code", {}, shown);
    const equal = new Set(content.replaced.filter(({ em }) => em === left).map((each) => each.position));
    const most = equal.size > 1 ? `is the first of ${equal.size} that cost most` : "costs most";
    const leaves = `, marked ▲, ${most}: it leaves ${memloc.share(left, n)}.${last}`;
    return [`${told} `, code(memloc.visible(text)), " in place of ", code(token), leaves];
  }

  function scores(state) {
    const paragraph = index.paragraphs.find((each) => each.id === state.paragraph);
    const set = index.sets.find((each) => each.key === paragraph.set);
    byId("paragraph-title").textContent = `Paragraph ${paragraph.id}`;
    byId("story").replaceChildren(...story(paragraph));
    const item = (name, ...value) =>
      element("div", {}, element("dt", {}, memloc.term(name)), element("dd", {}, ...value));
    const values = index.scores.filter(({ key }) => paragraph[key] !== null);
    const n = index.n_tokens - index.n_prefix;
    byId("scores").replaceChildren(
      item(
        "set",
        element("span", { class: "dot", style: `--set: ${set.colour}`, "aria-hidden": "true" }),
        " ",
        memloc.term(set.label),
      ),
      ...values.map(({ key, label }) =>
        item(label, memloc.number(paragraph[key]), element("small", {}, WORDS[key](paragraph[key], n))),
      ),
      paragraph.source ? item("source", element("code", {}, paragraph.source)) : "",
    );
  }

  /** All numbers of all tokens, a row each. */
  function table(state) {
    const colourings = available().filter(({ key }) => key !== "rarity");
    const columns = colourings.map((colouring) => numbers(colouring, state));
    const header = ["position", "token", "occurrences", ...colourings.map(({ key }) => key)];
    const rows = content.tokens.map((text, i) => [
      i,
      text,
      content.counts[i],
      ...columns.map((each) => each[i]),
    ]);
    return { header, rows };
  }

  function step(by) {
    const { token } = memloc.state.get();
    const next = token < 0 ? 0 : Math.min(Math.max(token + by, 0), index.n_tokens - 1);
    memloc.state.set({ token: next });
    if (byId("tokens").contains(document.activeElement)) {
      byId("tokens").querySelectorAll(".token")[next].focus();
    }
  }

  memloc.tokens = {
    begin(given) {
      index = given;
      byId("colouring").addEventListener("change", (event) => memloc.state.set({ by: event.target.value }));
      for (const name of ["layer", "head"]) {
        byId(name).addEventListener("change", (event) =>
          memloc.state.set({ [name]: Number(event.target.value) }),
        );
      }
      byId("tokens-csv").addEventListener("click", () => {
        const { header, rows } = table(memloc.state.get());
        memloc.downloads.csv(header, rows, `paragraph-${memloc.state.get().paragraph}-tokens`);
      });
    },
    show(state, given, changed) {
      if (content !== given) {
        content = given;
        hovered = -1;
        scores(state);
        build();
      }
      fields(state);
      if (["paragraph", "by", "layer", "head"].some((name) => changed.has(name))) {
        colour(state);
      }
      choose(state);
      facts(state);
    },
    step,
    name,
    /** Name of the colouring that shows a head: the chosen one if it does. */
    ofHead: (state) => (colouringOf(state).of === "head" ? state.by : "attention"),
    /** Attention of every head to a token, as a map; null without attention there. */
    attentionTo(position) {
      const packed = content.values.attention;
      if (!packed || position < 0 || position >= index.n_prefix) {
        return null;
      }
      const { values } = memloc.unpack(packed);
      const [layers, heads, n] = packed.shape;
      const found = Float32Array.from({ length: layers * heads }, (_, i) => values[i * n + position]);
      return { shape: [layers, heads], values: found };
    },
  };
})();
