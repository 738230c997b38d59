// @ts-check
// The calls of a page that holds them: the index, and calls out of their chunks. The page of `web` has another module in
// this one's place, which has the same exports and asks for its calls.
import { decode, signs, unpack } from "./site.js";
/** @typedef {import("./site.js").Index} Index */
/** @typedef {import("./site.js").Site} Site */

/** The text of an element of the page. @param {string} id */
function textOf(id) {
  return document.getElementById(id)?.textContent ?? "";
}

/** @returns {Promise<Index>} */
export async function readIndex() {
  return JSON.parse(new TextDecoder().decode(await unpack(textOf("index"))));
}

/** Reads calls, unpacking each chunk once and keeping the last few. */
export class Sites {
  /** @param {Index} index */
  constructor(index) {
    this.index = index;
    this.signs = signs(index.layout);
    /** @type {Map<number, Promise<Uint8Array[]>>} */
    this.chunks = new Map();
  }

  /** @param {number} at @returns {Promise<Site>} */
  async get(at) {
    const chunk = Math.floor(at / this.index.chunk);
    let calls = this.chunks.get(chunk);
    if (!calls) {
      calls = unpack(textOf(`chunk-${chunk}`)).then(split);
      this.chunks.set(chunk, calls);
      if (this.chunks.size > 12) this.chunks.delete(this.chunks.keys().next().value ?? -1);
    }
    return decode((await calls)[at % this.index.chunk], this.index.layout, this.signs.sign);
  }
}

/** The calls of a chunk. @param {Uint8Array} bytes */
function split(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const calls = [];
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at, true);
    calls.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return calls;
}

/** The name under which the browser keeps marks; empty where it is to keep none. @param {Index} index */
export function storeOf({ calls }) {
  return `cnnfilter view ${document.title} ${calls.length} ${calls[0]?.contig}:${calls[0]?.pos}`;
}
