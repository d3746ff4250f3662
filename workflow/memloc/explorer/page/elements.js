// The one global of the page, and how its elements are made.

const memloc = {};

memloc.byId = (id) => document.getElementById(id);

/** An element with attributes and children; a listener is an attribute like `onclick`. */
memloc.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

/** The same of a picture. */
memloc.svg = (tag, attributes, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
};

/** Fill a select with [value, label] pairs. */
memloc.fillSelect = (select, options, chosen) => {
  select.replaceChildren(
    ...options.map(([value, label]) =>
      memloc.element("option", { value, selected: String(value) === String(chosen) }, label),
    ),
  );
  select.disabled = options.length < 2;
};

/** A number as people read it, with three significant digits. */
memloc.number = (value) => {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return "–";
  }
  if (Number.isInteger(value)) {
    return value.toLocaleString("en").replace("-", "−");
  }
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 0.001 || size >= 1e6)
      ? value.toExponential(2).replace("e", " × 10^")
      : value.toPrecision(3);
  const [digits, power] = text.split(" × 10^");
  const raised = power ? ` × 10${superscript(Number(power))}` : "";
  return (power ? digits : String(Number(digits))).replace("-", "−") + raised;
};

const superscript = (power) =>
  String(power).replace(/[-\d]/g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]));

memloc.counted = (n, unit) => `${memloc.number(n)} ${unit}${n === 1 ? "" : "s"}`;

/** So many of all tokens, in words where it is none or all. */
memloc.share = (n, all) =>
  n === 0 ? `none of ${all} tokens` : n === all ? `all ${all} tokens` : `${n} of ${all} tokens`;

memloc.percent = (share) =>
  share > 0 && share < 0.001
    ? "under 0.1\u00a0%"
    : `${share > 0.995 || share < 0.01 ? memloc.number(100 * share) : Math.round(100 * share)}\u00a0%`;

/** A number with its unit; shares are in per cent. */
memloc.measured = (value, unit) =>
  ({ share: memloc.percent(value), rank: `rank ${memloc.number(value)}` })[unit] ??
  `${memloc.number(value)} ${unit}`.trim();

memloc.times = (n) => ["never", "once", "twice"][n] ?? `${memloc.number(n)} times`;

/** Text of a token in which whitespace can be seen. */
memloc.visible = (text) =>
  text.replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll("\r", "␍").replaceAll(" ", "␣");
