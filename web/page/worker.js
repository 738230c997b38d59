// @ts-check
// A worker of the page: one instance of the program, which asks for bytes of the chosen files as it needs them.

/** @typedef {{name: string, blob: Blob|null, url: string, size: number, time: number}} Given */
/**
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {(length: number) => number} page_reserve
 * @property {() => void} page_answer
 * @property {() => number} page_json
 * @property {() => number} page_json_length
 * @property {() => number} page_bytes
 * @property {() => number} page_bytes_length
 */

/** @type {Given[]} */
let given = [];
/** @type {Exports|null} */
let program = null;

/** @param {number} from @param {number} length */
function memory(from, length) {
  if (!program) throw new Error("no program");
  return new Uint8Array(program.memory.buffer, from >>> 0, length >>> 0);
}

/** A part of the file at an address. @param {string} url @param {number} place @param {number} count */
function remote(url, place, count) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.setRequestHeader("Range", `bytes=${place}-${place + count - 1}`);
  request.send();
  if (request.status !== 206) throw new Error(`${request.status}`);
  return new Uint8Array(request.response).subarray(0, count);
}

/** What the program asks of the page. */
const page = {
  /** @param {number} name @param {number} length */
  file_number: (name, length) => {
    const text = new TextDecoder().decode(memory(name, length));
    return given.findIndex((file) => file.name === text);
  },
  /** @param {number} file */
  file_length: (file) => given[file].size,
  /** @param {number} file */
  file_time: (file) => given[file].time,
  /** @param {number} file @param {number} place @param {number} to @param {number} count */
  file_read: (file, place, to, count) => {
    try {
      const { blob, url } = given[file];
      const bytes = blob ? new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob.slice(place, place + count))) : remote(url, place, count);
      memory(to, bytes.length).set(bytes);
      return bytes.length;
    } catch {
      // It was moved, the browser may not read it any more, or a server does not answer.
      return -1;
    }
  },
};

/** @param {WebAssembly.Module} module */
function start(module) {
  /** @type {Record<string, Record<string, unknown>>} */
  const imports = { page };
  // Left over by a crate that draws random numbers, which nothing here does.
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] ??= () => {
      throw new Error(`${from}.${name} was called`);
    };
  }
  const instance = new WebAssembly.Instance(module, /** @type {WebAssembly.Imports} */ (imports));
  program = /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
}

/** @param {unknown} request */
function answer(request) {
  if (!program) throw new Error("no program");
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  memory(program.page_reserve(bytes.length), bytes.length).set(bytes);
  program.page_answer();
  const json = new TextDecoder().decode(memory(program.page_json(), program.page_json_length()));
  return { ...JSON.parse(json), bytes: memory(program.page_bytes(), program.page_bytes_length()).slice() };
}

self.addEventListener("message", (/** @type {MessageEvent} */ { data }) => {
  try {
    if (data.module) start(data.module);
    if (data.files) given = data.files;
    const made = data.request ? answer(data.request) : { result: null, warnings: [], bytes: new Uint8Array() };
    self.postMessage({ id: data.id, memory: program?.memory.buffer.byteLength, ...made });
  } catch (error) {
    const what = error instanceof WebAssembly.RuntimeError ? "the program stopped at something that it does not know; please tell the project of it" : String(error);
    self.postMessage({ id: data.id, error: what, warnings: [], bytes: new Uint8Array() });
  }
});
