// @ts-check
// Calls as points: maps side by side, one selection for all of them.
import { unpack } from "./site.js";

/** @typedef {{name: string, kind: "place"|"words"|"number"|"integer", of: "u8"|"u32"|"f32"|"f64", offset: number, levels?: string[]}} ArrayOf */
/** @typedef {{clustering: string, cluster: string, column: string, value: string|null, inside: number, outside: number, effect: number, q: string}} Finding */
/** @typedef {{calls: number, panes: ArrayOf[], columns: ArrayOf[], findings: Finding[], view: string|null}} MapIndex */
/** @typedef {Uint8Array|Uint32Array|Float32Array|Float64Array} Numbers */
/** @typedef {{name: string, kind: string, values: Numbers, levels: string[]}} Column */

/** Colours that colour-blind readers tell apart (Okabe and Ito), then lighter and darker ones, on light and on dark paper. */
const WORDS = [
  ["#0072b2", "#d55e00", "#009e73", "#b07aa1", "#c89600", "#56b4e9", "#8c3b00", "#004d40", "#7f7f7f", "#6a3d9a", "#a6761d", "#e7298a", "#1b7837", "#4575b4", "#bd9e00"],
  ["#56b4e9", "#ff8a3d", "#2fd6a3", "#d8a0cf", "#f0c040", "#3f8fd0", "#ffb58a", "#7fe0cd", "#b5b5b5", "#b79be0", "#d9a94f", "#ff7ab8", "#6fce86", "#8fb4e8", "#e6d25a"],
];
/** The ramp of numbers: viridis, from low to high. */
const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
/** Rows of the table of selected calls. */
const ROWS = 100;
/** Cells along a side of the grid by which the pointer finds a call. */
const GRID = 256;

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} tag @param {string} [text] */
function make(tag, text) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @type {MapIndex} */
const index = JSON.parse(new TextDecoder().decode(await unpack(part("index").textContent ?? "")));
const packedData = document.getElementById("data")?.textContent ?? /** @type {any} */ (globalThis).cnnfilterMap;
if (packedData === undefined) {
  part("read-out").textContent = "The file of data (.data.js) is not beside this page: keep both in one folder.";
  throw new Error("no data");
}
const data = await unpack(packedData);
const count = index.calls;

/** @param {ArrayOf} array @param {number} length @returns {Numbers} */
function numbersOf(array, length) {
  const kinds = { u8: Uint8Array, u32: Uint32Array, f32: Float32Array, f64: Float64Array };
  return new kinds[array.of](/** @type {ArrayBuffer} */ (data.buffer), data.byteOffset + array.offset, length);
}
/** @type {Column[]} */
const columns = index.columns.map((one) => ({ name: one.name, kind: one.kind, values: numbersOf(one, count), levels: one.levels ?? [] }));
const named = new Map(columns.map((column) => [column.name, column]));

/** @param {Column|undefined} column @param {number} at */
function text(column, at) {
  if (!column) return "";
  const value = column.values[at];
  if (column.kind === "words") return column.levels[value] ?? "";
  if (Number.isNaN(value)) return "";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
/** @param {string} name @param {number} at */
const of = (name, at) => text(named.get(name), at);
/** @param {number} at */
const title = (at) => `${of("contig", at)}:${of("pos", at)} ${of("ref", at)}>${of("alt", at)}`;

const darkness = matchMedia("(prefers-color-scheme: dark)");
const selected = new Uint8Array(count);
const state = {
  column: columns.findIndex((column) => column.name === "kmeans"),
  level: -1,
  hovered: -1,
  lasso: false,
  selected: 0,
};
if (state.column < 0) state.column = columns.findIndex((column) => column.kind === "words");

/** @param {string} colour */
const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
/** A pixel, as little-endian machines hold it. @param {number[]} colour */
const pixel = ([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
/** @param {number[]} colour @param {number[]} paper @param {number} share */
const mixed = (colour, paper, share) => colour.map((value, at) => Math.round(value * share + paper[at] * (1 - share)));
const paper = () => (darkness.matches ? [20, 24, 29] : [255, 255, 255]);

/** @param {number} level */
const colourOf = (level) => {
  const words = WORDS[darkness.matches ? 1 : 0];
  return rgb(words[level % words.length]);
};
/** @param {number} share 0 to 1 */
function rampAt(share) {
  const place = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const at = Math.min(Math.floor(place), RAMP.length - 2);
  return mixed(RAMP[at + 1], RAMP[at], place - at);
}

/** The colour of each call as a place in a table of 256: 255 where the value is missing. */
const places = new Uint8Array(count);
let range = [0, 1];
/** Words by the number of their calls. @type {{level: number, calls: number}[]} */
let levels = [];

function paint() {
  const column = columns[state.column];
  const { values } = column;
  levels = [];
  if (column.kind === "words") {
    const calls = new Uint32Array(column.levels.length);
    for (let at = 0; at < count; at++) if (values[at] < calls.length) calls[values[at]]++;
    levels = [...calls].map((number, level) => ({ level, calls: number })).filter((one) => one.calls > 0);
    const isOrdered = index.findings.some((finding) => finding.clustering === column.name);
    if (!isOrdered) levels.sort((a, b) => b.calls - a.calls);
    // Words beyond the first 200 share a colour.
    const place = new Uint8Array(column.levels.length + 1).fill(254);
    levels.slice(0, 200).forEach((one, at) => (place[one.level] = at));
    for (let at = 0; at < count; at++) places[at] = values[at] < calls.length ? place[values[at]] : 255;
  } else {
    range = ends(values);
    const scale = 253 / (range[1] - range[0] || 1);
    for (let at = 0; at < count; at++) {
      const value = values[at];
      places[at] = Number.isNaN(value) ? 255 : Math.min(Math.max((value - range[0]) * scale, 0), 253);
    }
  }
}

/** The 1st and the 99th hundredth of a sample. @param {Numbers} values */
function ends(values) {
  const sample = [];
  const step = Math.max(1, Math.floor(count / 20000));
  for (let at = 0; at < count; at += step) if (!Number.isNaN(values[at])) sample.push(values[at]);
  sample.sort((a, b) => a - b);
  if (!sample.length) return [0, 1];
  return [sample[Math.floor(sample.length * 0.01)], sample[Math.ceil(sample.length * 0.99) - 1]];
}

/** Pixels of the places, plain and pale. */
function table() {
  const words = columns[state.column].kind === "words";
  const ground = paper();
  const plain = new Uint32Array(256), pale = new Uint32Array(256);
  for (let at = 0; at < 256; at++) {
    let colour = words ? colourOf(at) : rampAt(at / 253);
    if (at >= 254) colour = [140, 146, 154];
    plain[at] = pixel(at === 255 ? mixed(colour, ground, 0.45) : colour);
    pale[at] = pixel(mixed(colour, ground, 0.14));
  }
  return { plain, pale };
}

class Pane {
  /** @param {HTMLCanvasElement} canvas @param {ArrayOf} array */
  constructor(canvas, array) {
    this.canvas = canvas;
    this.name = array.name;
    this.points = /** @type {Float32Array} */ (numbersOf(array, 2 * count));
    this.box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < count; at++) {
      const x = this.points[2 * at], y = this.points[2 * at + 1];
      if (x < this.box[0]) this.box[0] = x;
      if (y < this.box[1]) this.box[1] = y;
      if (x > this.box[2]) this.box[2] = x;
      if (y > this.box[3]) this.box[3] = y;
    }
    if (!count) this.box = [0, 0, 1, 1];
    /** @type {number[][]} */
    this.line = [];
    this.scale = this.ratio = this.width = this.height = this.cell = 1;
    this.x = this.y = 0;
    this.starts = new Uint32Array(GRID * GRID + 2);
    this.order = new Uint32Array(count);
    this.makeGrid();
    this.fit();
    this.listen();
  }

  /** Calls by the cell of a grid. */
  makeGrid() {
    const [left, top, right, bottom] = this.box;
    this.cell = Math.max((right - left) / GRID, (bottom - top) / GRID, 1e-6);
    for (let at = 0; at < count; at++) this.starts[this.cellOf(at) + 2]++;
    for (let at = 2; at < this.starts.length; at++) this.starts[at] += this.starts[at - 1];
    for (let at = 0; at < count; at++) this.order[this.starts[this.cellOf(at) + 1]++] = at;
  }

  /** @param {number} at */
  cellOf(at) {
    const column = Math.min(GRID - 1, Math.floor((this.points[2 * at] - this.box[0]) / this.cell));
    const row = Math.min(GRID - 1, Math.floor((this.points[2 * at + 1] - this.box[1]) / this.cell));
    return row * GRID + column;
  }

  /** Shows the whole map. */
  fit() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const box = this.canvas.getBoundingClientRect();
    this.ratio = ratio;
    this.width = this.canvas.width = Math.max(1, Math.round(box.width * ratio));
    this.height = this.canvas.height = Math.max(1, Math.round(box.height * ratio));
    const [left, top, right, bottom] = this.box;
    this.scale = 0.94 * Math.min(this.width / (right - left || 1), this.height / (bottom - top || 1));
    this.x = this.width / 2 - (left + right) / 2 * this.scale;
    this.y = this.height / 2 - (top + bottom) / 2 * this.scale;
  }

  draw() {
    const begun = performance.now();
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
    const { width, height, scale, x, y, points } = this;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(pixel(paper()));
    const { plain, pale } = table();
    const size = Math.max(1, Math.min(6, Math.round(this.ratio * (count > 300000 ? 1 : count > 20000 ? 2 : 4) * Math.sqrt(scale / this.whole()))));
    const half = size >> 1;
    const chooses = state.selected > 0 || state.level >= 0;
    // Chosen calls lie above the others.
    for (let pass = chooses ? 0 : 1; pass < 2; pass++) {
      for (let at = 0; at < count; at++) {
        const isChosen = !chooses || (state.selected > 0 ? selected[at] === 1 : places[at] === state.level);
        if (isChosen !== (pass === 1)) continue;
        const left = Math.round(points[2 * at] * scale + x) - half, top = Math.round(points[2 * at + 1] * scale + y) - half;
        if (left < 0 || top < 0 || left + size > width || top + size > height) continue;
        const colour = isChosen ? plain[places[at]] : pale[places[at]];
        let to = top * width + left;
        for (let row = 0; row < size; row++, to += width) for (let column = 0; column < size; column++) pixels[to + column] = colour;
      }
    }
    context.putImageData(image, 0, 0);
    this.drawMarks(context);
    this.canvas.dataset.milliseconds = (performance.now() - begun).toFixed(1);
  }

  /** The scale of the whole map. */
  whole() {
    const [left, top, right, bottom] = this.box;
    return 0.94 * Math.min(this.width / (right - left || 1), this.height / (bottom - top || 1));
  }

  /** The lasso, and a ring around the call under the pointer. @param {CanvasRenderingContext2D} context */
  drawMarks(context) {
    context.strokeStyle = darkness.matches ? "#ffffff" : "#000000";
    context.lineWidth = 1.5 * this.ratio;
    if (this.line.length > 1) {
      context.beginPath();
      for (const [x, y] of this.line) context.lineTo(x, y);
      context.closePath();
      context.stroke();
    }
    if (state.hovered >= 0) {
      const [x, y] = this.at(state.hovered);
      context.beginPath();
      context.arc(x, y, 7 * this.ratio, 0, 7);
      context.stroke();
    }
  }

  /** @param {number} call */
  at(call) {
    return [this.points[2 * call] * this.scale + this.x, this.points[2 * call + 1] * this.scale + this.y];
  }

  /** The call nearest to a pixel, within a few of them. @param {number} x @param {number} y */
  find(x, y) {
    const reach = 9 * this.ratio;
    const { cell, starts, order } = this;
    const left = (x - this.x) / this.scale, top = (y - this.y) / this.scale, far = reach / this.scale;
    const from = [left - far - this.box[0], top - far - this.box[1]].map((value) => Math.max(0, Math.floor(value / cell)));
    const to = [left + far - this.box[0], top + far - this.box[1]].map((value) => Math.min(GRID - 1, Math.floor(value / cell)));
    let best = -1, nearest = far * far;
    for (let row = from[1]; row <= to[1]; row++) {
      for (let column = from[0]; column <= to[0]; column++) {
        const one = row * GRID + column;
        for (let place = starts[one]; place < starts[one + 1]; place++) {
          const call = order[place];
          const distance = (this.points[2 * call] - left) ** 2 + (this.points[2 * call + 1] - top) ** 2;
          if (distance < nearest) [best, nearest] = [call, distance];
        }
      }
    }
    return best;
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    this.scale *= factor;
    this.x = x - (x - this.x) * factor;
    this.y = y - (y - this.y) * factor;
    redraw();
  }

  /** @param {number} x @param {number} y */
  move(x, y) {
    this.x += x;
    this.y += y;
    redraw();
  }

  listen() {
    const { canvas } = this;
    /** @type {number[]|null} */
    let last = null;
    /** @param {PointerEvent|WheelEvent} event */
    const spot = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
    };
    canvas.addEventListener("pointerdown", (event) => {
      last = spot(event);
      this.line = state.lasso ? [last] : [];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = spot(event);
      if (!last) return hover(this.find(x, y));
      if (state.lasso) {
        this.line.push([x, y]);
        redraw();
      } else {
        this.move(x - last[0], y - last[1]);
      }
      last = [x, y];
    });
    canvas.addEventListener("pointerup", (event) => {
      last = null;
      if (this.line.length > 2) this.choose(event.shiftKey);
      this.line = [];
      redraw();
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = spot(event);
      this.zoom(Math.exp(-event.deltaY * 0.0015), x, y);
    }, { passive: false });
  }

  /** Selects the calls inside the line. @param {boolean} adds */
  choose(adds) {
    const { line } = this;
    if (!adds) selected.fill(0);
    for (let at = 0; at < count; at++) {
      const [x, y] = this.at(at);
      let inside = false;
      for (let one = 0, other = line.length - 1; one < line.length; other = one++) {
        const [ax, ay] = line[one], [bx, by] = line[other];
        if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) inside = !inside;
      }
      if (inside) selected[at] = 1;
    }
    selectionChanged();
  }
}

const panes = [...document.querySelectorAll("canvas.map")].map(
  (canvas, at) => new Pane(/** @type {HTMLCanvasElement} */ (canvas), index.panes[at]),
);
let waiting = 0;
function redraw() {
  if (!waiting) {
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      panes.forEach((pane) => pane.draw());
    });
  }
}

/** The address of a call on the page of `view`. @param {number} at */
function address(at) {
  const fragment = `${of("contig", at)}:${of("pos", at)}`;
  return `${index.view}#${encodeURI(fragment)}`;
}

/** @param {number} at */
function hover(at) {
  if (at === state.hovered) return;
  state.hovered = at;
  const facts = ["type", "genotype", "af", "depth", "mapq", "filter", "score", "label", "kmeans"];
  const told = facts.filter((name) => named.has(name) && of(name, at) !== "").map((name) => `${name} ${of(name, at)}`);
  const own = columns[state.column].name;
  if (at >= 0 && !facts.includes(own)) told.push(`${own} ${of(own, at)}`);
  part("read-out").textContent = at < 0 ? "" : `${title(at)}  ${told.join(", ")}`;
  if (index.view && at >= 0) {
    part("seen").hidden = false;
    /** @type {HTMLIFrameElement} */ (part("frame")).src = address(at);
  }
  redraw();
}

const select = /** @type {HTMLSelectElement} */ (part("column"));
columns.forEach((column, at) => {
  if (column.kind === "integer") return;
  if (column.kind === "words" && column.levels.length > 2000) return;
  const option = /** @type {HTMLOptionElement} */ (make("option", column.name));
  option.value = String(at);
  select.append(option);
});
select.addEventListener("change", () => colourBy(Number(select.value)));

/** @param {number} column */
function colourBy(column) {
  state.column = column;
  state.level = -1;
  select.value = String(column);
  paint();
  drawKey();
  redraw();
}

function drawKey() {
  const column = columns[state.column];
  part("legend-title").textContent = column.name;
  const key = part("key");
  key.replaceChildren();
  if (column.kind === "words") {
    levels.forEach((one, at) => {
      const button = make("button");
      const swatch = make("canvas");
      const paintable = /** @type {HTMLCanvasElement} */ (swatch);
      paintable.width = paintable.height = 12;
      paintable.style.width = "12px";
      const context = /** @type {CanvasRenderingContext2D} */ (paintable.getContext("2d"));
      context.fillStyle = `rgb(${(at < 200 ? colourOf(at) : [140, 146, 154]).join(",")})`;
      context.fillRect(0, 0, 12, 12);
      button.append(swatch, make("span", column.levels[one.level]), make("span", one.calls.toLocaleString("en")));
      button.setAttribute("aria-pressed", String(state.level === at));
      button.addEventListener("click", () => {
        state.level = state.level === at ? -1 : at;
        drawKey();
        redraw();
      });
      key.append(button);
    });
  } else {
    const ramp = /** @type {HTMLCanvasElement} */ (make("canvas"));
    ramp.width = 200;
    ramp.height = 1;
    const context = /** @type {CanvasRenderingContext2D} */ (ramp.getContext("2d"));
    for (let at = 0; at < 200; at++) {
      context.fillStyle = `rgb(${rampAt(at / 199).join(",")})`;
      context.fillRect(at, 0, 1, 1);
    }
    const line = make("p");
    line.append(...range.map((value) => make("span", String(Number(value.toPrecision(4))))));
    key.append(ramp, line);
  }
  drawFindings();
}

/** What is common in the cluster that the legend has chosen. */
function drawFindings() {
  const section = part("cluster");
  section.replaceChildren();
  const column = columns[state.column];
  const level = state.level >= 0 ? column.levels[levels[state.level].level] : null;
  const found = index.findings.filter((one) => one.clustering === column.name && one.cluster === level);
  if (!found.length) return;
  section.append(make("h3", `Cluster ${level} beside all others`));
  const table = make("table");
  const head = make("tr");
  head.append(...["", "inside", "outside", "effect", "q"].map((name) => make("th", name)));
  table.append(head);
  for (const one of found) {
    const row = make("tr");
    const share = (/** @type {number} */ value) => Number(value.toPrecision(3)).toString();
    row.append(
      make("td", one.value === null ? one.column : `${one.column} ${one.value}`),
      ...[share(one.inside), share(one.outside), share(one.effect), one.q].map((value) => make("td", value)),
    );
    table.append(row);
  }
  section.append(table);
}

function chosen() {
  const calls = [];
  for (let at = 0; at < count; at++) if (selected[at]) calls.push(at);
  return calls;
}

function selectionChanged() {
  const calls = chosen();
  state.selected = calls.length;
  part("selected").textContent = calls.length ? `${calls.length.toLocaleString("en")} calls are selected` : "No call is selected";
  const rows = make("table");
  for (const call of calls.slice(0, ROWS)) {
    const row = make("tr");
    row.append(make("td", title(call)), make("td", of("genotype", call)), make("td", text(columns[state.column], call)));
    row.addEventListener("pointerenter", () => hover(call));
    rows.append(row);
  }
  part("rows").replaceChildren(rows);
  redraw();
}

/** @param {string} name @param {Blob} blob */
function save(name, blob) {
  const link = /** @type {HTMLAnchorElement} */ (make("a"));
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** The selected calls with all their columns; all calls where none is selected. */
function asTable() {
  const calls = state.selected ? chosen() : [...Array(count).keys()];
  const lines = [columns.map((column) => column.name).join("\t")];
  for (const call of calls) lines.push(columns.map((column) => text(column, call)).join("\t"));
  return lines.join("\n") + "\n";
}

/** The selected calls as VCF 4.2, one ALT a record, without samples. */
function asVcf() {
  const calls = state.selected ? chosen() : [...Array(count).keys()];
  const contigs = new Set(calls.map((call) => of("contig", call)));
  const lines = ["##fileformat=VCFv4.2", ...[...contigs].map((contig) => `##contig=<ID=${contig}>`),
    "##INFO=<ID=CLUSTER,Number=1,Type=String,Description=\"Cluster of k-means on the map\">",
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"];
  for (const call of calls) {
    const cluster = of("kmeans", call);
    const fields = [of("contig", call), of("pos", call), ".", of("ref", call), of("alt", call), of("qual", call) || ".", ".", cluster ? `CLUSTER=${cluster}` : "."];
    lines.push(fields.join("\t"));
  }
  return lines.join("\n") + "\n";
}

/** All maps beside each other on one canvas. */
function together() {
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas"));
  canvas.width = panes.reduce((sum, pane) => sum + pane.width, 0);
  canvas.height = Math.max(1, ...panes.map((pane) => pane.height));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let x = 0;
  for (const pane of panes) {
    context.drawImage(pane.canvas, x, 0);
    x += pane.width;
  }
  return canvas;
}

/** The maps as a picture with a legend of text. */
function asSvg() {
  const canvas = together();
  const column = columns[state.column];
  const words = column.kind === "words" ? levels.slice(0, 40) : [];
  /** @param {string} raw */
  const safe = (raw) => raw.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const key = words.map((one, at) => `<rect x="10" y="${26 + 18 * at}" width="12" height="12" fill="rgb(${colourOf(at).join(",")})"/>`
    + `<text x="28" y="${36 + 18 * at}">${safe(column.levels[one.level])} (${one.calls})</text>`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width + 260}" height="${Math.max(canvas.height, 40 + 18 * words.length)}" font-family="sans-serif" font-size="13">`
    + `<rect width="100%" height="100%" fill="rgb(${paper().join(",")})"/><image href="${canvas.toDataURL()}" width="${canvas.width}" height="${canvas.height}"/>`
    + `<g transform="translate(${canvas.width} 0)" fill="${darkness.matches ? "#ffffff" : "#000000"}"><text x="10" y="16" font-weight="bold">${safe(column.name)}</text>${key}</g></svg>`;
}

const actions = {
  lasso: () => {
    state.lasso = !state.lasso;
    part("lasso").setAttribute("aria-pressed", String(state.lasso));
    panes.forEach((pane) => pane.canvas.classList.toggle("lasso", state.lasso));
  },
  reset: () => {
    panes.forEach((pane) => pane.fit());
    redraw();
  },
  clear: () => {
    selected.fill(0);
    state.level = -1;
    drawKey();
    selectionChanged();
  },
  png: () => together().toBlob((blob) => blob && save("map.png", blob)),
  svg: () => save("map.svg", new Blob([asSvg()], { type: "image/svg+xml" })),
  tsv: () => save("calls.tsv", new Blob([asTable()], { type: "text/tab-separated-values" })),
  vcf: () => save("calls.vcf", new Blob([asVcf()], { type: "text/plain" })),
};
for (const [id, action] of Object.entries(actions)) part(id).addEventListener("click", action);

/** @param {number} step */
function nextColumn(step) {
  const options = [...select.options].map((option) => Number(option.value));
  const at = options.indexOf(state.column);
  colourBy(options[(at + step + options.length) % options.length]);
}

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
  const step = 60;
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => panes.forEach((pane) => pane.move(step, 0)),
    ArrowRight: () => panes.forEach((pane) => pane.move(-step, 0)),
    ArrowUp: () => panes.forEach((pane) => pane.move(0, step)),
    ArrowDown: () => panes.forEach((pane) => pane.move(0, -step)),
    "+": () => panes.forEach((pane) => pane.zoom(1.25)),
    "=": () => panes.forEach((pane) => pane.zoom(1.25)),
    "-": () => panes.forEach((pane) => pane.zoom(0.8)),
    0: actions.reset, Escape: actions.clear, l: actions.lasso, e: actions.tsv, v: actions.vcf, p: actions.png, s: actions.svg,
    c: () => nextColumn(1),
    C: () => nextColumn(-1),
  };
  const action = keys[event.key];
  if (action) {
    action();
    event.preventDefault();
  }
});
addEventListener("resize", actions.reset);
darkness.addEventListener("change", () => colourBy(state.column));

if (state.column >= 0) colourBy(state.column);
panes.forEach((pane) => pane.draw());
document.documentElement.dataset.ready = "true";
