// All paragraphs by exact match and NLL (Figure 2): grey is the study, coloured dots are on this page.

(() => {
  const { byId, svg } = memloc;
  const [LEFT, RIGHT, TOP, BOTTOM] = [34, 252, 8, 160]; // of the axes, in a picture of 260 x 190
  let index;
  let shown = [];
  let place;

  const text = (x, y, anchor, content, rest = {}) =>
    svg("text", { x, y, "text-anchor": anchor, ...rest }, String(content));

  function axes() {
    const n = index.n_tokens - index.n_prefix;
    const high = Math.max(...index.cloud.nll) * 1.05;
    place = ({ em, nll }) => [LEFT + (em / n) * (RIGHT - LEFT), BOTTOM - (nll / high) * (BOTTOM - TOP)];
    const made = [
      text(143, 187, "middle", "exact match (tokens)"),
      text(-84, 11, "middle", "NLL (nats per token)", { transform: "rotate(-90)" }),
      ...[0, Math.round(n / 2), n].map((em) =>
        text(place({ em, nll: 0 })[0], BOTTOM + 14, em === n ? "end" : "middle", em),
      ),
    ];
    for (let nll = 0; nll <= high; nll += Math.max(1, Math.round(high / 4))) {
      const y = place({ em: 0, nll })[1];
      made.push(svg("line", { x1: LEFT, x2: RIGHT, y1: y, y2: y }), text(LEFT - 6, y + 4, "end", nll));
    }
    return made;
  }

  function dot(point, r, rest) {
    const [cx, cy] = place(point);
    return svg("circle", { cx, cy, r, ...rest });
  }

  function nearest({ clientX, clientY }) {
    const at = new DOMPoint(clientX, clientY).matrixTransform(byId("scatter").getScreenCTM().inverse());
    const distance = (paragraph) => Math.hypot(place(paragraph)[0] - at.x, place(paragraph)[1] - at.y);
    return shown.reduce((best, each) => (!best || distance(each) < distance(best) ? each : best), null);
  }

  memloc.scatter = {
    begin(content) {
      index = content;
      const { em, nll, n } = index.cloud;
      const opacity = (i) => 0.25 + 0.15 * Math.min(Math.log10(n[i]), 3);
      byId("scatter").prepend(
        ...axes(),
        ...em.map((_, i) => dot({ em: em[i], nll: nll[i] }, 1.4, { opacity: opacity(i) })),
      );
      byId("scatter").addEventListener("click", (event) => {
        const paragraph = nearest(event);
        if (paragraph) {
          memloc.state.set({ paragraph: paragraph.id, token: -1 });
        }
      });
    },
    show(paragraphs, chosen) {
      shown = paragraphs;
      const colours = new Map(index.sets.map(({ key, colour }) => [key, `--set: ${colour}`]));
      const paragraph = index.paragraphs.find(({ id }) => id === chosen);
      byId("dots").replaceChildren(
        ...shown.map((each) => dot(each, 2.6, { class: "dot", style: colours.get(each.set) })),
        ...(paragraph ? [dot(paragraph, 6, { class: "ring" })] : []),
      );
      byId("scatter").setAttribute(
        "aria-label",
        `Exact match and NLL of ${index.n_paragraphs} paragraphs; ${shown.length} are in the list below.`,
      );
    },
  };
})();
