// What is shown, kept in the address after the hash, so that a view can be sent and found again.

(() => {
  const listeners = [];
  let state = {};
  let defaults = {};
  let correction = () => ({});

  const numeric = new Set(["paragraph", "layer", "head", "token"]);

  function parse() {
    const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    for (const name of Object.keys(given)) {
      if (numeric.has(name)) {
        given[name] = Number(given[name]);
      }
    }
    const asked = { ...defaults, ...given };
    return { ...asked, ...correction(asked) };
  }

  function write() {
    const shown = Object.entries(state).filter(
      ([name, value]) => name === "paragraph" || String(value) !== String(defaults[name] ?? ""),
    );
    const view = new URLSearchParams(shown).toString();
    history.replaceState(null, "", `#${view}`);
    if (parent !== window) {
      parent.postMessage({ memloc: view }, "*"); // to the page that shows two models side by side
    }
  }

  function tell(changed) {
    for (const listener of listeners) {
      listener(state, changed);
    }
  }

  memloc.state = {
    /** Begin with these values where the address says nothing else; `correct` mends wrong values. */
    begin(values, correct) {
      defaults = values;
      correction = correct;
      state = parse();
      addEventListener("hashchange", () => {
        state = parse();
        tell(new Set(Object.keys({ ...defaults, ...state })));
      });
      tell(new Set(Object.keys(state)));
      write();
    },
    get: () => state,
    /** Change some values; listeners hear which ones differ. */
    set(values) {
      const changed = new Set(Object.keys(values).filter((name) => values[name] !== state[name]));
      if (changed.size) {
        state = { ...state, ...values };
        write();
        tell(changed);
      }
    },
    listen: (listener) => listeners.push(listener),
  };
})();
