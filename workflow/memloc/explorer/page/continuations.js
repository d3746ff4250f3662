// Continuations side by side: the paragraph's own, the greedy one, and the one after a token is replaced.

(() => {
  const { byId, element } = memloc;
  let index;

  /** First place at which two continuations differ; their length if nowhere. */
  function firstDifference(own, other) {
    const found = own.findIndex((text, i) => text !== other[i]);
    return found < 0 ? own.length : found;
  }

  function text(tokens, from) {
    return tokens.map((token, i) =>
      element(
        "span",
        { class: i === from ? "differs first" : i > from && "differs" },
        token.replaceAll("\n", "↵\n"),
        i === from ? element("span", { class: "unseen-text" }, " (first difference)") : null,
      ),
    );
  }

  function panel(title, about, body) {
    return element(
      "div",
      { class: "continuation" },
      element("h3", {}, memloc.term(title.toLowerCase(), title)),
      element("p", { class: "note" }, about),
      body,
    );
  }

  const counted = (n) => memloc.counted(n, "token");

  function greedy(own, tokens) {
    if (!tokens) {
      return panel("Greedy", "It was not decoded for this paragraph.", "");
    }
    const from = firstDifference(own, tokens);
    const about = from === own.length ? "Equal to the original: recited." : `Equal for ${counted(from)}.`;
    return panel("Greedy", about, element("p", { class: "text" }, ...text(tokens, from)));
  }

  function strongest(own, content) {
    const { position, text: put, tokens, impact } = content.perturbed;
    const old = memloc.visible(content.tokens[position]);
    return panel(
      "Perturbed",
      `Token ${position} “${old}” becomes “${memloc.visible(put)}”. The first change is ${memloc.tokens.name(impact)}.`,
      element("p", { class: "text" }, ...text(tokens, firstDifference(own, tokens))),
    );
  }

  /** For other replacements, the tables say how much survives but not the text. */
  function other(own, content, replaced) {
    const old = memloc.visible(content.tokens[replaced.position]);
    const all = replaced.em >= own.length;
    const rest = all ? "" : " What follows is kept for the strongest replacement only.";
    const survive = replaced.em === 1 ? "survives" : "survive";
    const told = all ? "The whole continuation survives." : `${counted(replaced.em)} ${survive}.${rest}`;
    return panel(
      "Perturbed",
      `Token ${replaced.position} “${old}” becomes “${memloc.visible(replaced.text)}”. ${told}`,
      element(
        "p",
        { class: "text" },
        ...text(own.slice(0, replaced.em), own.length),
        all ? "" : element("span", { class: "differs first" }, "…"),
      ),
    );
  }

  function perturbed(own, content, token) {
    const replaced = content.replaced.find(({ position }) => position === token);
    if (content.perturbed && (!replaced || content.perturbed.position === token)) {
      return strongest(own, content);
    }
    if (replaced) {
      return other(own, content, replaced);
    }
    return panel(
      "Perturbed",
      content.replaced.length ? "Choose a token of the prefix." : "No token of this paragraph was replaced.",
      "",
    );
  }

  memloc.continuations = {
    begin(given) {
      index = given;
    },
    show(state, content) {
      const own = content.tokens.slice(index.n_prefix);
      byId("continuations").replaceChildren(
        element("h2", {}, "The text, and the model's own words"),
        element(
          "div",
          { class: "side-by-side" },
          panel("Original", "The text itself.", element("p", { class: "text" }, ...text(own, own.length))),
          greedy(own, content.greedy),
          perturbed(own, content, state.token),
        ),
      );
    },
  };
})();
