// Two explorers in frames. A frame says what it shows; the other one then shows the same, but for the head.

(() => {
  const { element } = memloc;
  const OWN = ["layer", "head"];
  const models = document.body.dataset.models.split(" ");

  const address = (pane) => `../${pane.model}/explorer/index.html#${pane.view}`;

  /** The view of one model for another: its own head stays. */
  function adopted(view, own) {
    const [given, kept] = [new URLSearchParams(view), new URLSearchParams(own)];
    for (const name of OWN) {
      given.delete(name);
      if (kept.has(name)) {
        given.set(name, kept.get(name));
      }
    }
    return given.toString();
  }

  function made(i) {
    const pane = { model: models[i], view: location.hash.slice(1) };
    pane.frame = element("iframe", { src: address(pane), title: `Explorer of ${pane.model}` });
    const choose = element("select", {
      onchange: (event) => {
        pane.model = event.target.value;
        pane.view = adopted(pane.view, "");
        pane.frame.title = `Explorer of ${pane.model}`;
        pane.frame.src = address(pane);
      },
    });
    memloc.fillSelect(
      choose,
      models.map((name) => [name, name]),
      pane.model,
    );
    const label = element("label", {}, "Model", choose);
    document.querySelector(".panes").append(element("section", { class: "pane" }, label, pane.frame));
    return pane;
  }

  const panes = [made(0), made(1)];
  addEventListener("message", ({ source, data }) => {
    const from = panes.find(({ frame }) => frame.contentWindow === source);
    if (from && typeof data?.memloc === "string") {
      from.view = data.memloc;
      history.replaceState(null, "", `#${adopted(from.view, "")}`);
      for (const pane of panes) {
        const view = adopted(from.view, pane.view);
        if (pane !== from && view !== new URLSearchParams(pane.view).toString()) {
          pane.view = view;
          pane.frame.src = address(pane);
        }
      }
    }
  });
})();
