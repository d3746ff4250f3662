// Colours of numbers: lightness rises or falls with the value, so that no scale depends on telling hues apart.

(() => {
  const { element } = memloc;
  const STOPS = {
    light: {
      sequential: ["#f4f6fb", "#d3e4f3", "#8fc3de", "#3f93c4", "#1a5fa3", "#0b2f6b"],
      diverging: ["#1d4f91", "#6fa3d4", "#d5e3f0", "#f6f6f7", "#fbdcbb", "#e9943f", "#9a4a06"],
    },
    dark: {
      sequential: ["#232833", "#254163", "#2d6a9f", "#3f9ccb", "#8fd0e6", "#e9fbff"],
      diverging: ["#a9d3ff", "#5a9de0", "#2f4f76", "#262b36", "#704a22", "#dd8f3d", "#ffdcae"],
    },
  };

  const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

  function at(share, stops) {
    const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    const [from, to] = [rgb(stops[below]), rgb(stops[below + 1])];
    return from.map((value, i) => Math.round(value + (to[i] - value) * (place - below)));
  }

  /** Black or white, whichever reads better on a colour. */
  function inkOn(colour) {
    const linear = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? "#000000" : "#ffffff";
  }

  /** Colours of a share on the scales of the light and the dark theme, as CSS. */
  function both(share, diverging, css) {
    const scale = diverging ? "diverging" : "sequential";
    return `light-dark(${["light", "dark"].map((theme) => css(at(share, STOPS[theme][scale])))})`;
  }

  const background = (share, diverging) => both(share, diverging, (colour) => `rgb(${colour.join(" ")})`);

  memloc.colours = {
    /** Background and ink of a share from 0 to 1, as the value of an attribute; null of a missing one. */
    style: (share, diverging = false) =>
      Number.isFinite(share)
        ? `background-color: ${background(share, diverging)}; color: ${both(share, diverging, inkOn)}`
        : null,
    /** The whole scale from left to right. */
    bar(diverging, reversed = false) {
      const shares = Array.from({ length: 11 }, (_, i) => (reversed ? 10 - i : i) / 10);
      const stops = shares.map((share) => background(share, diverging));
      return element("span", { class: "bar", style: `background: linear-gradient(90deg, ${stops})` });
    },
    /** How values become shares of the scale: {low, high, share}. */
    scale(values, { diverging = false, logarithmic = false, ascending = false } = {}) {
      const finite = Array.from(values).filter((value) => Number.isFinite(value));
      let [low, high] = [Math.min(...finite), Math.max(...finite)];
      if (diverging) {
        high = Math.max(Math.abs(low), Math.abs(high)) || 1;
        low = -high;
      } else if (!logarithmic && !ascending) {
        low = Math.min(low, 0);
      }
      const bend = logarithmic ? (value) => Math.log(Math.max(value, 0.5)) : (value) => value;
      const width = bend(high) - bend(low) || 1;
      const share = (value) => (bend(value) - bend(low)) / width;
      // Small is strong: few occurrences, or the first ranks.
      return { low, high, share: ascending || logarithmic ? (value) => 1 - share(value) : share };
    },
  };
})();
