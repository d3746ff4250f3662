// Terms that a first reader does not know: pointing at one, or tapping it, says what it means.

(() => {
  const { byId, element } = memloc;
  let words;
  let shown = null;

  function hide() {
    byId("tip").hidden = true;
    shown?.setAttribute("aria-expanded", "false");
    shown = null;
  }

  /** Below its term, moved to the left where the window ends. */
  function show(button, meaning) {
    hide();
    const tip = byId("tip");
    tip.textContent = meaning;
    tip.hidden = false;
    shown = button;
    button.setAttribute("aria-expanded", "true");
    const box = button.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(left, 8) + scrollX}px`;
    tip.style.top = `${box.bottom + 4 + scrollY}px`;
  }

  /** What a term means: of “partly (11–29)” what “partly” does; null of an unknown one. */
  memloc.meaning = (key) =>
    words[key] ?? words[Object.keys(words).find((each) => key.startsWith(each))] ?? null;

  /** A term with its meaning; `label` is how it is called here. */
  memloc.term = (key, label = key) => {
    const meaning = memloc.meaning(key);
    if (!meaning) {
      return element("span", {}, label);
    }
    const button = element(
      "button",
      {
        type: "button",
        class: "term",
        "aria-expanded": "false",
        "aria-describedby": "tip",
        onpointerenter: ({ pointerType }) => pointerType === "mouse" && show(button, meaning),
        onpointerleave: ({ pointerType }) => pointerType === "mouse" && hide(),
        onfocus: () => show(button, meaning),
        onblur: hide,
        onclick: (event) => {
          event.stopPropagation();
          show(button, meaning);
        },
      },
      label,
    );
    return button;
  };

  /** Hide the meaning that is shown, if any; whether there was one. */
  memloc.hideTerm = () => {
    const open = shown !== null;
    hide();
    return open;
  };

  memloc.terms = {
    begin(index) {
      words = index.words;
      addEventListener("scroll", hide, { passive: true });
      document.addEventListener("click", hide);
    },
  };
})();
