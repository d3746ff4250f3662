// What is shown, kept in the address after the hash, so that a view can be sent and found again.

(() => {
  const listeners = [];
  let state = {};
  let defaults = {};
  let allowed = {};

  const numeric = new Set(["paragraph", "layer", "head", "token"]);
  const steps = ["paragraph", "tab", "map", "layer", "head"]; // the browser's Back undoes a change of these

  /** What the address asks for and the page has; `missing` says what it has not. */
  function parse() {
    const asked = { ...defaults, missing: [] };
    for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
      const value = numeric.has(name) ? Number(text) : text;
      if (name.startsWith("map-") || allowed[name]?.(value)) {
        asked[name] = value;
      } else {
        asked.missing.push(`${name} ${text}`.trim());
      }
    }
    return asked;
  }

  function write(pushed) {
    const shown = Object.entries(state).filter(
      ([name, value]) =>
        name === "paragraph" || (name !== "missing" && String(value) !== String(defaults[name] ?? "")),
    );
    const view = new URLSearchParams(shown).toString();
    const framed = parent !== window;
    history[pushed && !framed ? "pushState" : "replaceState"](null, "", `#${view}`);
    if (framed) {
      parent.postMessage({ memloc: view }, "*"); // to the page that shows two models side by side
    }
  }

  function tell(changed) {
    for (const listener of listeners) {
      listener(state, changed);
    }
  }

  function read() {
    state = parse();
    tell(new Set(Object.keys({ ...defaults, ...state })));
    write(false);
  }

  memloc.state = {
    /** Begin with these values where the address says nothing else that `has` allows, by name. */
    begin(values, has) {
      defaults = values;
      allowed = has;
      addEventListener("hashchange", read);
      read();
    },
    get: () => state,
    /** Change some values; listeners hear which ones differ. */
    set(values) {
      const changed = new Set(Object.keys(values).filter((name) => values[name] !== state[name]));
      if (changed.size) {
        state = { ...state, missing: [], ...values };
        write(steps.some((name) => changed.has(name)));
        tell(changed);
      }
    },
    listen: (listener) => listeners.push(listener),
  };
})();
