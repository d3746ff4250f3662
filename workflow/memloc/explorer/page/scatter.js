// All paragraphs by exact match and NLL (Figure 2): grey is the study, coloured dots are on this page.

(() => {
  const { byId } = memloc;
  const [HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [190, 34, 30, 8, 8];
  let index;
  let shown = [];
  let place;

  function size(canvas) {
    const width = canvas.clientWidth || 260;
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = HEIGHT * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return { context, width };
  }

  function axes(context, width, high) {
    const n = index.n_tokens - index.n_prefix;
    place = (em, nll) => [
      LEFT + (em / n) * (width - LEFT - RIGHT),
      HEIGHT - BOTTOM - (nll / high) * (HEIGHT - BOTTOM - TOP),
    ];
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = memloc.colours.named("soft");
    context.strokeStyle = memloc.colours.named("line");
    for (const em of [0, Math.round(n / 2), n]) {
      context.textAlign = em === 0 ? "left" : em === n ? "right" : "center";
      context.fillText(String(em), place(em, 0)[0], HEIGHT - BOTTOM + 14);
    }
    context.textAlign = "right";
    for (let nll = 0; nll <= high; nll += Math.max(1, Math.round(high / 4))) {
      const y = place(0, nll)[1];
      context.fillText(String(nll), LEFT - 6, y + 4);
      context.beginPath();
      context.moveTo(LEFT, y);
      context.lineTo(width - RIGHT, y);
      context.stroke();
    }
    context.textAlign = "center";
    context.fillText("exact match (tokens)", (LEFT + width - RIGHT) / 2, HEIGHT - 3);
    context.save();
    context.translate(9, (TOP + HEIGHT - BOTTOM) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText("NLL", 0, 0);
    context.restore();
  }

  function dot(context, [x, y], radius) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }

  function draw(chosen) {
    const canvas = byId("scatter");
    const { context, width } = size(canvas);
    axes(context, width, Math.max(...index.cloud.nll) * 1.05);
    context.fillStyle = memloc.colours.named("strong-line");
    index.cloud.em.forEach((em, i) => {
      context.globalAlpha = 0.25 + 0.15 * Math.min(Math.log10(index.cloud.n[i]), 3);
      dot(context, place(em, index.cloud.nll[i]), 1.4);
      context.fill();
    });
    context.globalAlpha = 1;
    const colours = new Map(index.sets.map((set) => [set.key, memloc.colours.ofSet(set)]));
    for (const paragraph of shown) {
      context.fillStyle = colours.get(paragraph.set);
      dot(context, place(paragraph.em, paragraph.nll), 2.6);
      context.fill();
    }
    const paragraph = index.paragraphs.find((each) => each.id === chosen);
    if (paragraph) {
      context.strokeStyle = memloc.colours.named("ink");
      context.lineWidth = 2;
      dot(context, place(paragraph.em, paragraph.nll), 6);
      context.stroke();
    }
    canvas.setAttribute(
      "aria-label",
      `Exact match and NLL of ${index.n_paragraphs} paragraphs; ${shown.length} are in the list below.`,
    );
  }

  function nearest(event) {
    const box = byId("scatter").getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    const distance = (paragraph) => {
      const [x, y] = place(paragraph.em, paragraph.nll);
      return (x - at[0]) ** 2 + (y - at[1]) ** 2;
    };
    return shown.reduce((best, each) => (!best || distance(each) < distance(best) ? each : best), null);
  }

  memloc.scatter = {
    begin(content) {
      index = content;
      byId("scatter").addEventListener("click", (event) => {
        const paragraph = nearest(event);
        if (paragraph) {
          memloc.state.set({ paragraph: paragraph.id, token: -1 });
        }
      });
    },
    show(paragraphs, chosen) {
      shown = paragraphs;
      draw(chosen);
    },
  };
})();
