// What is shown as a file: a canvas as PNG, rows as CSV.

(() => {
  const { element } = memloc;
  function save(blob, name) {
    const link = element("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const quoted = (value) => {
    const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  memloc.downloads = {
    png: (canvas, name) => canvas.toBlob((blob) => save(blob, `${name}.png`)),
    csv(header, rows, name) {
      const lines = [header, ...rows].map((row) => row.map(quoted).join(","));
      save(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }), `${name}.csv`);
    },
    /** A canvas for sharp pictures: drawn at twice the size that its numbers say. */
    sheet(width, height) {
      const canvas = element("canvas", { width: 2 * width, height: 2 * height });
      const context = canvas.getContext("2d");
      context.scale(2, 2);
      context.fillStyle = memloc.colours.named("card");
      context.fillRect(0, 0, width, height);
      return { canvas, context };
    },
  };
})();
