// Begins when the index is here, and hands every change of the state to the views.

(() => {
  const { byId } = memloc;
  let order = 0;

  /** Whether the page has what an address asks for, by name. */
  function has(index) {
    const below = (n) => (value) => Number.isInteger(value) && value >= 0 && value < n;
    const among = (entries, ...others) => {
      const known = [...others, ...entries.map(({ key }) => key)];
      return (value) => known.includes(value);
    };
    const any = () => true;
    return {
      paragraph: (value) => index.paragraphs.some(({ id }) => id === value),
      tab: among(index.tabs, "paragraphs"),
      token: below(index.n_tokens),
      by: among(index.colourings),
      layer: below(index.n_layers),
      head: below(index.n_heads),
      scope: among([], "paragraph", "set"),
      map: among(index.maps, "attention_to_token"),
      sort: among(index.scores, "page"),
      search: any,
      without: any,
    };
  }

  /** Says what the address asked for that is not here. */
  function missing(state) {
    const box = byId("missing");
    box.hidden = state.missing.length === 0;
    box.textContent = `This page has no ${state.missing.join(", and no ")}. Shown is what it opens with.`;
  }

  async function show(state, changed) {
    const turn = ++order;
    if (changed.has("tab")) {
      memloc.tabs.show(state);
    }
    missing(state);
    if (state.tab !== "paragraphs") {
      return;
    }
    const everything = changed.has("tab") ? new Set([...changed, "sort", "paragraph"]) : changed;
    memloc.list.show(state, everything);
    const [sets, content] = await Promise.all([
      memloc.load("maps"),
      memloc.load(`paragraph-${state.paragraph}`),
    ]);
    if (turn === order) {
      memloc.tokens.show(state, content, everything);
      memloc.continuations.show(state, content);
      memloc.maps.show(state, content, sets);
      document.body.dataset.shown = state.paragraph;
    }
  }

  /** One step back: from a meaning, a field, a tab, a token. */
  function back(field) {
    if (memloc.hideTerm()) {
      return;
    }
    if (field) {
      field.blur();
    } else if (memloc.state.get().tab !== "paragraphs") {
      memloc.state.set({ tab: "paragraphs" });
      byId("tab-paragraphs").focus();
    } else {
      memloc.state.set({ token: -1 });
    }
  }

  function keys(event) {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      back(typing && event.target);
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("[role=tab]")) {
      return;
    }
    const actions = {
      "/": () => {
        memloc.state.set({ tab: "paragraphs" });
        byId("search").focus();
      },
      ArrowDown: () => memloc.list.step(1),
      ArrowUp: () => memloc.list.step(-1),
      ArrowRight: () => memloc.tokens.step(1),
      ArrowLeft: () => memloc.tokens.step(-1),
      "[": () => memloc.maps.step(-1),
      "]": () => memloc.maps.step(1),
    };
    if (actions[event.key] && (event.key === "/" || memloc.state.get().tab === "paragraphs")) {
      event.preventDefault();
      actions[event.key]();
    }
  }

  memloc.start = (index) => {
    memloc.state.listen(show);
    for (const view of [
      memloc.terms,
      memloc.scatter,
      memloc.list,
      memloc.tokens,
      memloc.continuations,
      memloc.maps,
      memloc.tabs,
    ]) {
      view.begin(index);
    }
    const defaults = {
      tab: "paragraphs",
      paragraph: index.example,
      token: -1,
      by: "effect",
      layer: index.interest?.layer ?? 0,
      head: index.interest?.head ?? 0,
      scope: "set",
      map: "ranks",
      sort: "page",
      search: "",
      without: "",
    };
    memloc.state.begin(defaults, has(index));
    addEventListener("keydown", keys);
  };
})();
