// Rows as a file: CSV.

(() => {
  const quoted = (value) => {
    const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  memloc.downloads = {
    csv(header, rows, name) {
      const lines = [header, ...rows].map((row) => row.map(quoted).join(","));
      const blob = new Blob([`${lines.join("\n")}\n`], { type: "text/csv" });
      const link = memloc.element("a", { href: URL.createObjectURL(blob), download: `${name}.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    },
  };
})();
