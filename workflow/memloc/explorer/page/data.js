// Data: every file is a script that calls `memloc.receive`, because file:// has no fetch.

(() => {
  const received = new Map();
  const waiting = new Map();

  memloc.receive = (name, content) => {
    received.set(name, content);
    if (name === "index") {
      memloc.start(content);
    }
  };

  /** Content of data/<name>.js; asked for once. */
  memloc.load = (name) => {
    if (received.has(name)) {
      return Promise.resolve(received.get(name));
    }
    if (!waiting.has(name)) {
      waiting.set(
        name,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          script.src = `data/${name}.js`;
          script.onload = () => resolve(received.get(name));
          script.onerror = () => reject(new Error(`data/${name}.js is missing`));
          document.head.append(script);
        }),
      );
    }
    return waiting.get(name);
  };

  /** The numbers of an array that is stored as base64, and its shape. */
  memloc.unpack = (packed) => {
    if (!packed.values) {
      const bytes = Uint8Array.from(atob(packed.data), (character) => character.charCodeAt(0));
      packed.values = new Float32Array(bytes.buffer);
    }
    return packed;
  };
})();
