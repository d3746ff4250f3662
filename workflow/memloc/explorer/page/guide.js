// The guided start: three steps on an example, which can be left at any time and begun again.

(() => {
  const { byId, element } = memloc;
  const KEY = "memloc-guide-done";
  const STEPS = [
    {
      at: "#tokens",
      title: "Read",
      text:
        "The model is given the first part of this paragraph. The second part is how the training text " +
        "goes on. A model that knows the paragraph by heart writes it by itself, word for word.",
    },
    {
      at: "#tokens",
      title: "Replace a token",
      text:
        "The stronger a token's colour, the more is lost if another one stands in its place. One token, marked ▲, " +
        "costs most. Tap any token to see what happens when it is replaced.",
    },
    {
      at: "#see",
      title: "Look inside",
      text:
        "Each square is an attention head of the model: rows are layers. Tap a square, and the tokens show " +
        "where this head looks. The small maps are other ways to ask which heads matter.",
    },
  ];
  let step = -1;

  function remembered(done) {
    try {
      if (done) {
        localStorage.setItem(KEY, "1");
      }
      return localStorage.getItem(KEY) !== null;
    } catch {
      return false; // from disk, some browsers keep nothing
    }
  }

  function leave() {
    step = -1;
    remembered(true);
    show();
    byId("guide-open").focus();
  }

  function go(to) {
    step = to;
    show();
    byId("guide").querySelector(".go").focus({ preventScroll: true });
    document.querySelector(STEPS[step].at).scrollIntoView({ block: "nearest" });
  }

  function show() {
    for (const each of document.querySelectorAll(".guided")) {
      each.classList.remove("guided");
    }
    const box = byId("guide");
    box.hidden = step < 0;
    if (step < 0) {
      return;
    }
    const { at, title, text } = STEPS[step];
    document.querySelector(at).classList.add("guided");
    const last = step === STEPS.length - 1;
    const button = (label, onclick, name = "quiet") =>
      element("button", { type: "button", class: name, onclick }, label);
    box.replaceChildren(
      element("h3", {}, `${step + 1} of ${STEPS.length}: ${title}`),
      element("p", {}, text),
      element(
        "div",
        { class: "actions" },
        button(last ? "Done" : "Next step of the guide", () => (last ? leave() : go(step + 1)), "quiet go"),
        step ? button("Step back", () => go(step - 1)) : null,
        last ? null : button("Leave the guide", leave),
      ),
    );
  }

  memloc.guide = {
    /** On a first visit that asks for nothing in particular, the guide is open. */
    begin() {
      byId("guide-open").addEventListener("click", () => {
        memloc.state.set({ tab: "paragraphs" });
        go(0);
      });
      if (!location.hash && parent === window && !remembered(false)) {
        step = 0;
        show();
      }
    },
    /** Leave the guide; whether it was open. */
    close() {
      const open = step >= 0;
      if (open) {
        leave();
      }
      return open;
    },
  };
})();
