// Terms that a first reader does not know: pointing at one, or tapping it, says what it means.

(() => {
  const { byId, element } = memloc;
  const MEANINGS = {
    paragraph: "A piece of the training text of a fixed number of tokens: a prefix, and its continuation.",
    prefix: "The first tokens of a paragraph. The model is given these.",
    continuation: "The other tokens of a paragraph. The question is whether the model writes them by itself.",
    token: "What a model reads and writes at a time: a word, a part of one, or a sign.",
    "exact match": "How many tokens of the continuation the model writes correctly before its first mistake.",
    NLL:
      "Negative log-likelihood: how surprised the model is by the continuation, in nats per token. " +
      "0: it is sure of every token.",
    repeats: "How often the paragraph occurs in the training text.",
    "extraction probability": "The chance that one random sample from the model is the whole continuation.",
    memorized: "The model writes the whole continuation, word for word.",
    partly: "The model writes a part of the continuation before its first mistake.",
    "non-memorized": "The model goes wrong within the first tokens of the continuation.",
    unseen: "The model was never trained on this paragraph: a control.",
    "strongest replacement":
      "Each token of the prefix was replaced by a random other one. This is the one that costs most.",
    "impact token":
      "The first token of the continuation that the model writes differently after the strongest replacement.",
    perturbed: "The paragraph with the strongest replacement in its prefix, and what the model writes then.",
    layer: "A model works in layers, one after the other. Layer 0 is the first.",
    head: "A layer has several attention heads. Each looks back at other tokens in its own way.",
    MLP: "The other part of each layer, which looks at one token at a time.",
    greedy: "What the model writes if it always takes its first choice.",
    rarity: "Rank 0 is the rarest token of the prefix, by its count in the study's paragraphs.",
  };
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
    MEANINGS[key] ?? MEANINGS[Object.keys(MEANINGS).find((each) => key.startsWith(each))] ?? null;

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
  addEventListener("scroll", hide, { passive: true });
  document.addEventListener("click", hide);
})();
