// @ts-check
// One call's bytes taken apart. crates/view/src/site.rs says how they lie.

/** @typedef {{code: number, text: string, base: number, sort: "empty"|"base"|"gap"|"pad", clipped: boolean}} Sign */
/** @typedef {{names: string[], values: number[]}} Table */
/** @typedef {{transform: "identity"|"signed_sqrt"|"log1p", mean: number, sd: number, known: boolean}} Scaling */
/** @typedef {{name: string, unit: string, scaling: Scaling|null}} Quantity */
/** @typedef {{code: string, value: number, text: string}} Reason */
/**
 * @typedef {object} Layout
 * @property {string} encoder
 * @property {number} columns
 * @property {number} event_column
 * @property {Sign[]} symbols
 * @property {number} qualities
 * @property {Table} cells
 * @property {boolean} cells_compare
 * @property {Table} haplotypes
 * @property {boolean} has_alternate
 * @property {boolean} numbers_are_channels
 * @property {Quantity[]} read
 * @property {Quantity[]} site
 * @property {Quantity[]} annotations
 * @property {{code: string, text: string}[]} parts
 */
/**
 * @typedef {object} Entry
 * @property {string} contig
 * @property {number} pos
 * @property {string} id
 * @property {string} ref
 * @property {string} alt
 * @property {string} alts
 * @property {string|null} sample
 * @property {string} kind
 * @property {number|null} qual
 * @property {string} filter
 * @property {[string, number][]} in_file
 * @property {number[]} logits
 * @property {number} score
 * @property {number|null} probability
 * @property {number|null} threshold
 * @property {string|null} label
 * @property {number|null} reads
 * @property {[string, number][]} left_out reads over the call that have no row, by reason
 * @property {Reason[]} reasons
 * @property {string|null} suspect the kind of error that it looks like
 */
/** @typedef {{model: string, chunk: number, layout: Layout, calls: Entry[]}} Index */
/**
 * One call's tensor.
 * @typedef {object} Site
 * @property {number} rows
 * @property {number} columns
 * @property {(number|null)[]} positions 1-based position of each column; null in a column that an insertion opened
 * @property {Uint8Array} reference
 * @property {Uint8Array} alternate
 * @property {Uint8Array} sides
 * @property {Uint8Array} from
 * @property {Uint8Array} to
 * @property {Uint8Array} symbols row by row
 * @property {Uint8Array} qualities row by row
 * @property {Float32Array} numbers number by number: [number][row]
 * @property {Float32Array} site
 * @property {Float32Array} annotations
 * @property {Float32Array} whyReads
 * @property {Float32Array} whyParts
 * @property {Int8Array|null} whyCells row by row, in sevenths of the largest
 * @property {number} whyLargest of the cells, log odds
 * @property {string[]} names of the reads, row by row
 */
/** @typedef {{name: string, low: number, high: number, values: Float32Array, rows: number, columns: number}} Plane */

/** Bytes of a base 64 text that were deflated. @param {string} text @returns {Promise<Uint8Array>} */
export async function unpack(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Symbols by their code. @param {Layout} layout @returns {{sign: Sign[], place: Int16Array}} */
export function signs(layout) {
  /** @type {Sign[]} */
  const sign = [];
  const place = new Int16Array(256).fill(-1);
  const nothing = layout.symbols[0];
  for (let code = 0; code < 256; code++) sign.push(nothing);
  layout.symbols.forEach((one, at) => {
    sign[one.code] = one;
    place[one.code] = at;
  });
  return { sign, place };
}

/** @param {Uint8Array} bytes @param {Layout} layout @param {Sign[]} sign @returns {Site} */
export function decode(bytes, layout, sign) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const columns = layout.columns;
  const rows = view.getUint16(0, true);
  const first = Number(view.getBigUint64(2, true));
  let at = 10;
  const take = (/** @type {number} */ length) => bytes.subarray(at, (at += length));
  const floats = (/** @type {number} */ length) => {
    const shuffled = take(length * 4);
    const plain = new Uint8Array(length * 4);
    for (let byte = 0; byte < 4; byte++) {
      for (let one = 0; one < length; one++) plain[one * 4 + byte] = shuffled[byte * length + one];
    }
    const numbers = new Float32Array(length);
    const whole = new DataView(plain.buffer);
    for (let one = 0; one < length; one++) numbers[one] = whole.getFloat32(one * 4, true);
    return numbers;
  };
  const reference = take(columns);
  const alternate = take(columns);
  const sides = take(rows);
  const from = take(rows);
  const to = take(rows);
  const symbols = take(rows * columns);
  const qualities = take(rows * columns);
  const numbers = floats(layout.read.length * rows);
  const ofCall = floats(layout.site.length + layout.annotations.length);
  const why = floats(rows + layout.parts.length);
  const whyLargest = view.getFloat32(at, true);
  at += 4;
  const whyCells = Number.isNaN(whyLargest) ? null : new Int8Array(take(rows * columns));
  let position = first;
  const positions = Array.from(reference, (code) => (sign[code].sort === "base" ? ++position : null));
  return {
    rows, columns, positions, reference, alternate, sides, from, to, symbols, qualities, numbers,
    site: ofCall.subarray(0, layout.site.length),
    annotations: ofCall.subarray(layout.site.length),
    whyReads: why.subarray(0, rows),
    whyParts: why.subarray(rows),
    whyCells, whyLargest,
    names: new TextDecoder().decode(bytes.subarray(at)).split("\n"),
  };
}

/**
 * The channels as the network gets them: of the cells, of reference and ALT, of the reads.
 * @param {Site} site @param {Layout} layout @param {Int16Array} place @param {Sign[]} sign
 * @returns {Plane[]}
 */
export function planes(site, layout, place, sign) {
  const { rows, columns } = site;
  /** @type {Plane[]} */
  const found = [];
  const cell = layout.cells.names.length;
  for (let channel = 0; rows && channel < cell; channel++) {
    const values = new Float32Array(rows * columns);
    for (let at = 0; at < values.length; at++) {
      const code = site.symbols[at];
      const quality = Math.min(site.qualities[at], layout.qualities - 1);
      let index = place[code] * layout.qualities + quality;
      if (layout.cells_compare) {
        const agrees = sign[code].base === site.reference[at % columns];
        index = index * 2 + Number(agrees);
      }
      values[at] = layout.cells.values[index * cell + channel];
    }
    found.push({ name: layout.cells.names[channel], low: 0, high: 1, values, rows, columns });
  }
  const own = layout.haplotypes.names.length;
  for (let channel = 0; channel < own; channel++) {
    const values = new Float32Array(columns);
    for (let at = 0; at < columns; at++) {
      let index = place[site.reference[at]];
      if (layout.has_alternate) index = index * layout.symbols.length + place[site.alternate[at]];
      values[at] = layout.haplotypes.values[index * own + channel];
    }
    found.push({ name: layout.haplotypes.names[channel], low: 0, high: 1, values, rows: 1, columns });
  }
  if (layout.numbers_are_channels) {
    layout.read.forEach(({ name }, number) => {
      const values = new Float32Array(rows * columns);
      for (let row = 0; row < rows; row++) {
        values.fill(site.numbers[number * rows + row], row * columns + site.from[row], row * columns + site.to[row]);
      }
      if (rows) found.push({ name, low: 0, high: 1, values, rows, columns });
    });
  } else if (rows) {
    const width = layout.read.length;
    const values = new Float32Array(rows * width);
    let [low, high] = [0, 1];
    for (let number = 0; number < width; number++) {
      for (let row = 0; row < rows; row++) {
        const value = site.numbers[number * rows + row];
        values[row * width + number] = value;
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    found.push({ name: "numbers of the reads", low, high, values, rows, columns: width });
  }
  return found;
}

/** A number as it stands against training, in standard deviations. @param {number} value @param {Scaling|null} scaling */
export function standardised(value, scaling) {
  if (!scaling || !scaling.known || !Number.isFinite(value)) return null;
  const size = Math.abs(value);
  const changed = { identity: size, signed_sqrt: Math.sqrt(size), log1p: Math.log1p(size) }[scaling.transform];
  return (Math.sign(value) * changed - scaling.mean) / scaling.sd;
}
