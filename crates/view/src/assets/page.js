// @ts-check
// The page: one call at a time, its channels and numbers, keys and the pointer.
import { planes, standardised } from "./site.js";
import { Sites, readIndex, storeOf } from "./packed.js";
import { css, drawPileup, drawPlane, isReverse, largest, mappingQuality, numberOf, theme } from "./draw.js";
import { Marks } from "./marks.js";
import { CallList, fails, probability, short, shown } from "./calls.js";
/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("./site.js").Entry} Entry */
/** @typedef {import("./site.js").Quantity} Quantity */

/** @param {string} id */
export function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id}`);
  return found;
}

/** @param {string} tag @param {string} [text] @param {string} [name] */
export function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
}

const SIDES = ["fits the ALT", "fits REF", "fits neither", ""];
export const OUTPUTS = ["NOT_SNP", "NOT_INDEL", "SNP", "INDEL"];
/** Tiles drawn at a time. */
const TILES = 60;

export const index = await readIndex();
export const { layout, calls: entries } = index;
export const sites = new Sites(index);
const { sign, place } = sites.signs;
const marks = new Marks(storeOf(index));
const pileup = /** @type {HTMLCanvasElement} */ (part("pileup"));
const darkness = matchMedia("(prefers-color-scheme: dark)");

let printing = false;
export const state = {
  at: 0,
  /** @type {Site|null} */ site: null,
  /** @type {ReturnType<typeof drawPileup>|null} */ geometry: null,
  /** @type {number|null} */ pinned: null,
  why: false,
  /** @type {number|null} */ channel: null,
  tiles: false,
  /** @type {number} */ timer: 0,
};
export const colours = () => theme(darkness.matches && !printing);
export const list = new CallList(entries, marks, part("list"), (at) => choose(at));

/** Shows a call. @param {number} at */
export async function choose(at) {
  state.at = at;
  state.pinned = null;
  list.show(at);
  const site = await sites.get(at);
  if (state.at !== at) return;
  state.site = site;
  const explained = site.whyCells !== null;
  whyButton.disabled = !explained;
  if (!explained) state.why = false;
  draw();
}

export function draw() {
  const { site } = state;
  if (!site) return;
  const entry = entries[state.at];
  drawTitle(entry);
  drawReads(site);
  drawNumbers(entry, site);
  // What lies below comes once the reads are seen, and not at all for a call that is passed by.
  setTimeout(() => {
    if (state.site !== site) return;
    drawChannels(site);
    if (part("table").hasAttribute("open")) drawTable(site);
    part("call").dataset.shown = String(state.at);
  });
}

/** @param {Entry} entry */
function drawTitle(entry) {
  const title = part("title");
  const heading = make("h2", `${entry.contig}:${entry.pos.toLocaleString("en")} `);
  const alleles = make("span", `${short(entry.ref, 24)} > ${short(entry.alt, 24)}`, "allele");
  alleles.title = `${entry.ref} > ${entry.alt}`;
  heading.append(alleles);
  const pills = make("p", undefined, "pills");
  const pill = (/** @type {string} */ text, name = "") => pills.append(make("span", text, `pill ${name}`));
  pill(entry.kind);
  if (entry.alt !== entry.alts) pill(`ALT ${short(entry.alts, 24)}`);
  if (entry.filter !== ".") pill(entry.filter, fails(entry) ? "fail" : "pass");
  if (entry.label) pill(`label: ${entry.label}`, entry.label === "false" ? "fail" : "pass");
  if (entry.sample) pill(entry.sample);
  const mark = marks.get(entry);
  if (mark) pill(`marked ${mark.mark}`, mark.mark === "false" ? "fail" : mark.mark === "real" ? "pass" : "");
  title.replaceChildren(heading, pills);
  if (entry.suspect) title.append(make("p", `It ${entry.suspect}.`, "suspect"));
  if (entry.reasons.length) title.append(sentence(entry));
  if (mark) note.value = mark.note;
  note.hidden = !mark;
}

/** The reasons as a sentence. @param {Entry} entry */
function sentence(entry) {
  const words = make("p", undefined, "why");
  for (const [side, test] of /** @type {const} */ ([["for", 1], ["against", -1]])) {
    const reasons = entry.reasons.filter((reason) => Math.sign(reason.value) === test).slice(0, 3);
    if (!reasons.length) continue;
    const part = make("span");
    part.append(make("b", `${side}: `, side === "for" ? "pass" : "fail"));
    reasons.forEach((reason, at) => {
      part.append(at ? ", " : "", make("span", reason.text), " ", make("small", signed(reason.value)));
    });
    part.append(". ");
    words.append(part);
  }
  return words;
}

/** @param {number} value */
function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}

/** @param {Site} site */
function drawReads(site) {
  const width = Math.max(200, (pileup.parentElement?.clientWidth ?? 600) - 2);
  state.geometry = drawPileup(pileup, site, width, { colours: colours(), sign, layout, why: state.why, pinned: state.pinned });
  const g = state.geometry;
  Object.assign(pileup.dataset, { cell: g.cell, line: g.line, gutter: g.gutter, top: g.top });
  const entry = entries[state.at];
  pileup.setAttribute("aria-label", `${site.rows} reads over ${entry.contig}:${entry.pos}. The table below has them.`);
  readOut(state.pinned === null ? null : { row: state.pinned, column: -1 });
  drawLegend(site);
}

/** Says what lies under the pointer. @param {{row: number, column: number}|null} cell */
function readOut(cell) {
  const out = part("read-out");
  const { site } = state;
  if (!site) return;
  const entry = entries[state.at];
  if (!cell || cell.row >= site.rows) {
    const left = entry.left_out.length ? ` Not shown: ${entry.left_out.map(([reason, count]) => `${count} ${reason}`).join(", ")}.` : "";
    const cut = hiddenBases(entry, site);
    out.textContent = (cut ? `The window shows the insertion without its last ${cut} bases. ` : "") + (layout.read.length
      ? `${site.rows} of ${entry.reads ?? site.rows} usable reads over the call.${left} Point at a cell; click pins a read.`
      : "This network looks at the reference, the ALT and annotations.");
    return;
  }
  const parts = [];
  if (cell.column >= 0) {
    const position = site.positions[cell.column];
    parts.push(position === null ? "opened by an insertion" : `${entry.contig}:${position.toLocaleString("en")}`);
  }
  if (cell.row < 0) {
    const codes = layout.has_alternate && cell.row === -1 ? site.alternate : site.reference;
    if (cell.column >= 0) parts.push(`${codes === site.reference ? "REF" : "ALT"} ${sign[codes[cell.column]].text || "nothing"}`);
  } else {
    if (cell.column >= 0) {
      const at = cell.row * site.columns + cell.column;
      const one = sign[site.symbols[at]];
      const names = { empty: "no base", gap: "deleted", pad: "no insertion here", base: `base ${one.text.toUpperCase()}` };
      parts.push(names[one.sort] + (one.clipped ? ", soft-clipped" : ""));
      if (one.sort === "base") parts.push(`quality ${site.qualities[at]}`);
      if (site.whyCells?.[at]) parts.push(`cell ${signed((site.whyCells[at] / 7) * site.whyLargest)}`);
    }
    parts.push(...ofRead(site, cell.row));
  }
  out.textContent = parts.join(" · ");
}

/** Inserted bases for which the window has no column. @param {Entry} entry @param {Site} site */
function hiddenBases(entry, site) {
  if (!layout.has_alternate) return 0;
  let column = layout.event_column;
  while (column < site.columns && sign[site.reference[column]].sort === "pad") column++;
  return Math.max(0, entry.alt.length - entry.ref.length - (column - layout.event_column));
}

/** @param {Site} site @param {number} row */
function ofRead(site, row) {
  const name = site.names[row];
  const mate = name ? site.names.findIndex((other, at) => other === name && at !== row) : -1;
  const parts = [`read ${row + 1}${name ? ` (${name})` : ""}`];
  if (mate >= 0) parts.push(`its mate is read ${mate + 1}`);
  if (SIDES[site.sides[row]]) parts.push(SIDES[site.sides[row]]);
  parts.push(isReverse(layout, site, row) ? "reverse strand" : "forward strand");
  const mapq = mappingQuality(layout, site, row);
  if (mapq !== null) parts.push(`MAPQ ${mapq}`);
  const mismatches = numberOf(layout, site, row, "other_mismatches");
  if (mismatches !== null) parts.push(`${Math.round(Math.expm1(mismatches))} other mismatches`);
  const why = site.whyReads[row];
  if (Number.isFinite(why)) parts.push(`the read contributes ${signed(why)}`);
  return parts;
}

/** @param {Site} site */
function drawLegend(site) {
  const c = colours();
  const items = state.why
    ? [["for the call", css(c.plus)], ["against it", css(c.minus)]]
    : [
        ...Object.entries(c.base).filter(([name]) => name !== "N").map(([name, colour]) => [name, css(colour)]),
        ["as REF", css(c.read)], ["insertion", css(c.insertion)], ["gap", css(c.ink)],
        ["fits ALT", css(c.sides[0])], ["fits REF", css(c.sides[1])], ["neither", css(c.sides[2])],
      ];
  part("legend").replaceChildren(
    ...items.map(([text, colour]) => {
      const item = make("span");
      const swatch = make("i");
      swatch.style.background = colour;
      item.append(swatch, text);
      return item;
    }),
    make("span", state.why
      ? `integrated gradients: the cells sum to the score less that of an empty pileup; the largest is ${shown(site.whyLargest, 3)}`
      : "opacity: base quality · upper half pale: soft clip · bar: MAPQ · arrow: strand"),
  );
}

/** Outputs, contributions, numbers and annotations. @param {Entry} entry @param {Site} site */
function drawNumbers(entry, site) {
  const c = colours();
  const box = part("numbers");
  const exponentials = entry.logits.map((logit) => Math.exp(logit - Math.max(...entry.logits)));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const outputs = make("div", undefined, "bars outputs");
  OUTPUTS.forEach((name, at) => {
    outputs.append(bar(name, exponentials[at] / sum, 0, 1, shown(exponentials[at] / sum, 3), css(at > 1 ? c.plus : c.minus)));
  });
  const facts = make("dl", undefined, "facts");
  const fact = (/** @type {string} */ name, /** @type {string} */ value) => facts.append(make("dt", name), make("dd", value));
  fact("score (log odds)", shown(entry.score, 3));
  if (entry.probability !== null) fact("probability", shown(entry.probability, 5));
  if (entry.threshold !== null) fact("threshold", shown(entry.threshold, 5));
  fact("FILTER", entry.filter);
  fact("QUAL", shown(entry.qual, 1));
  for (const [key, value] of entry.in_file) fact(`${key} in the file`, shown(value, 3));
  box.replaceChildren(make("h3", "Outputs"), outputs, facts);
  if (site.whyParts.length && Number.isFinite(site.whyParts[0])) {
    const most = Math.max(1, largest(site.whyParts));
    const parts = make("div", undefined, "bars");
    layout.parts.forEach((one, at) => {
      const value = site.whyParts[at];
      const line = bar(one.code, value, -most, most, signed(value), css(value < 0 ? c.minus : c.plus));
      line.title = `${one.text}: the score less the score without it`;
      parts.append(line);
    });
    box.append(make("h3", "Contributions"), make("p", "Score less the score without each part, in log odds.", "note"), parts);
  }
  const section = (/** @type {string} */ name, /** @type {Quantity[]} */ quantities, /** @type {Float32Array} */ values) => {
    if (!quantities.length) return;
    const rows = make("div", undefined, "bars");
    const missing = quantities.filter((_, at) => !Number.isFinite(values[at])).map((one) => one.name);
    quantities.forEach((quantity, at) => Number.isFinite(values[at]) && rows.append(quantityBar(quantity, values[at], c)));
    const details = make("details");
    details.append(make("summary", name), rows);
    if (missing.length) details.append(make("p", `missing: ${missing.join(", ")}`, "note"));
    if (!closed.has(name)) details.setAttribute("open", "");
    details.addEventListener("toggle", () => (details.hasAttribute("open") ? closed.delete(name) : closed.add(name)));
    box.append(details);
  };
  section("Annotations against training", layout.annotations, site.annotations);
  section("Numbers of the call against training", layout.site, site.site);
}
/** Sections that the reader closed. */
const closed = new Set(["Numbers of the call against training"]);

/** @param {Quantity} quantity @param {number} value @param {ReturnType<typeof theme>} c */
function quantityBar(quantity, value, c) {
  const z = standardised(value, quantity.scaling);
  const text = String(Number(value.toPrecision(4)));
  if (z === null) return bar(quantity.name, 0, -1, 1, text, css(c.muted));
  const line = bar(quantity.name, Math.max(-4, Math.min(4, z)), -4, 4, text, css(Math.abs(z) > 3 ? c.minus : c.muted));
  line.classList.toggle("far", Math.abs(z) > 3);
  line.title = `${quantity.unit ? quantity.unit + "; " : ""}${z.toFixed(1)} standard deviations from the mean of training`;
  return line;
}

/** @param {string} name @param {number} value @param {number} low @param {number} high @param {string} text @param {string} colour */
export function bar(name, value, low, high, text, colour) {
  const line = make("div", undefined, "bar-line");
  const track = make("span", undefined, "track");
  const fill = make("i");
  const share = (/** @type {number} */ x) => ((Math.min(high, Math.max(low, x)) - low) / (high - low)) * 100;
  const [from, to] = [share(Math.min(0, value || 0)), share(Math.max(0, value || 0))];
  fill.style.left = `${from}%`;
  fill.style.width = `${Math.max(0.8, to - from)}%`;
  fill.style.background = colour;
  track.append(fill);
  line.append(make("span", name), track, make("span", text, "num"));
  return line;
}

/** @param {Site} site */
function drawChannels(site) {
  const box = part("channels");
  const all = planes(site, layout, place, sign);
  const one = state.channel === null ? null : all[((state.channel % all.length) + all.length) % all.length];
  const wide = box.clientWidth || 600;
  const heading = make("h3", one ? `Channel ${one.name}` : `${all.length} channels, as the network gets them`);
  const grid = make("div", undefined, one ? "one" : "grid");
  const c = colours();
  for (const plane of one ? [one] : all) {
    const figure = make("figure");
    const caption = make("figcaption", plane.name);
    caption.append(make("small", ` ${Number(plane.low.toPrecision(3))} to ${Number(plane.high.toPrecision(3))}`));
    const canvas = /** @type {HTMLCanvasElement} */ (make("canvas"));
    canvas.dataset.channel = plane.name;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `channel ${plane.name}: ${plane.rows} rows, ${plane.columns} columns`);
    drawPlane(canvas, plane, one ? wide : Math.max(128, Math.min(wide, 196)), c);
    const out = make("span", "", "read");
    canvas.addEventListener("mousemove", (event) => {
      const column = Math.floor(event.offsetX / Number(canvas.dataset.cell));
      const row = Math.floor(event.offsetY / Number(canvas.dataset.line));
      const value = plane.values[row * plane.columns + column];
      const names = plane.name === "numbers of the reads" ? layout.read[column]?.name : `column ${column + 1}`;
      if (value !== undefined) out.textContent = `row ${row + 1}, ${names}: ${Number(value.toPrecision(4))}`;
    });
    canvas.addEventListener("click", () => {
      state.channel = one ? null : all.indexOf(plane);
      drawChannels(site);
    });
    figure.append(caption, canvas, out);
    grid.append(figure);
  }
  const ramp = make("p", undefined, "note ramp");
  const scale = make("i");
  scale.style.background = `linear-gradient(to right, ${css(c.low)}, ${css(c.high)})`;
  ramp.append("lowest ", scale, " highest value of the channel. Click one to see it large.");
  box.replaceChildren(heading, ramp, grid);
}

/** @param {Site} site */
function drawTable(site) {
  const table = make("table");
  const head = make("tr");
  ["read", "name", "fits", "bases", ...layout.read.map((one) => one.name)].forEach((name) => head.append(make("th", name)));
  table.append(head);
  for (let row = 0; row < site.rows; row++) {
    const line = make("tr");
    const codes = site.symbols.subarray(row * site.columns, (row + 1) * site.columns);
    const bases = Array.from(codes, (code) => sign[code].text || (sign[code].sort === "pad" ? "*" : " ")).join("");
    line.append(make("th", String(row + 1)), make("td", site.names[row] ?? ""), make("td", SIDES[site.sides[row]].replace("fits ", "")), make("td", bases, "allele"));
    layout.read.forEach((_, number) => line.append(make("td", shown(site.numbers[number * site.rows + row], 2), "num")));
    table.append(line);
  }
  part("table").querySelector(".scroll")?.replaceChildren(table);
}

/** Many calls side by side. */
async function drawTiles() {
  const box = part("tiles");
  const some = list.order.slice(0, TILES);
  box.replaceChildren(make("h3", `Tiles: ${some.length} of ${list.order.length} calls in the list's order`));
  const grid = make("div", undefined, "tiles");
  box.append(grid);
  for (const at of some) {
    const site = await sites.get(at);
    if (!state.tiles) return;
    const entry = entries[at];
    const tile = /** @type {HTMLButtonElement} */ (make("button", undefined, "tile"));
    tile.type = "button";
    const canvas = /** @type {HTMLCanvasElement} */ (make("canvas"));
    drawPileup(canvas, site, 132, { colours: colours(), sign, layout, small: true });
    const mark = marks.get(entry)?.mark ?? "";
    tile.append(canvas, make("span", `${entry.contig}:${entry.pos}`), make("span", `${short(entry.ref, 5)}>${short(entry.alt, 5)} ${shown(probability(entry), 3)} ${mark}`, fails(entry) ? "fail" : ""));
    tile.addEventListener("click", () => {
      setTiles(false);
      choose(at);
    });
    grid.append(tile);
  }
}

/** @param {boolean} on */
function setTiles(on) {
  state.tiles = on;
  part("tiles").hidden = !on;
  for (const id of ["stage", "title", "table"]) part(id).hidden = on;
  if (on) drawTiles();
  else draw();
}

/** Steps on by itself, or stops. */
function play() {
  if (state.timer) {
    clearInterval(state.timer);
    state.timer = 0;
  } else {
    state.timer = window.setInterval(() => {
      if (state.channel !== null && state.site) {
        state.channel++;
        drawChannels(state.site);
      } else if (!go(1)) {
        play();
      }
    }, 700);
  }
}

/** @param {number} steps @param {(entry: Entry) => boolean} [passes] */
function go(steps, passes) {
  const at = list.step(steps, passes);
  if (at === null || at === state.at) return false;
  choose(at);
  return true;
}

/** @param {"real"|"false"|"unsure"|null} mark */
function setMark(mark) {
  if (!entries.length) return;
  marks.set(entries[state.at], mark);
  list.draw();
  drawTitle(entries[state.at]);
  status();
}

/** Offers the marks as a file. */
function exportMarks() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([marks.table(entries)], { type: "text/tab-separated-values" }));
  link.download = "labels.tsv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * The call at a locus, or the next one behind it; null where the text is no locus. Alleles may stand behind the
 * position, as in `chr20:1234:A:G`, and tell calls at one position apart.
 * @param {string} text
 */
function find(text) {
  const name = text.trim();
  const exact = entries.findIndex((entry) => {
    const locus = `${entry.contig}:${entry.pos}`;
    return name === locus || name === `${locus}:${entry.ref}:${entry.alts}`;
  });
  if (exact >= 0) return exact;
  const found = /^(?:(.+):)?([0-9,]+)$/.exec(name);
  if (!found) return null;
  const contig = found[1] ?? entries[state.at]?.contig;
  const position = Number(found[2].replaceAll(",", ""));
  const there = entries.map((entry, at) => ({ entry, at })).filter(({ entry }) => entry.contig === contig);
  const next = there.find(({ entry }) => entry.pos >= position) ?? there.at(-1);
  return next ? next.at : null;
}

/** The call that the address names behind `#`, or null. */
function addressed() {
  try {
    return find(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return null;
  }
}

function status() {
  const marked = entries.filter((entry) => marks.get(entry)).length;
  part("count").textContent = `${list.order.length} of ${entries.length} calls${marked ? `, ${marked} marked` : ""}`;
}

const bar_ = part("bar");
/** @param {string} text @param {string} title @param {() => void} act */
function button(text, title, act) {
  const made = /** @type {HTMLButtonElement} */ (make("button", text));
  made.type = "button";
  made.title = title;
  made.addEventListener("click", act);
  bar_.append(made);
  return made;
}
button("‹ previous", "k", () => go(-1));
button("next ›", "j", () => go(1));
button("next that fails", "n", () => go(1, fails));
button("play", "p", play);
const whyButton = button("why", "w: colour cells by their contribution", () => setWhy(!state.why));
button("tiles", "t", () => setTiles(!state.tiles));
bar_.append(make("span", "mark:", "gap"));
button("real", "r", () => setMark("real"));
button("false", "f", () => setMark("false"));
button("unsure", "u", () => setMark("unsure"));
button("export", "e: the marks as a table", exportMarks);
const note = /** @type {HTMLInputElement} */ (make("input"));
Object.assign(note, { type: "text", placeholder: "note", hidden: true, ariaLabel: "Note on the mark" });
note.addEventListener("change", () => {
  const mark = marks.get(entries[state.at]);
  if (mark) marks.set(entries[state.at], mark.mark, note.value);
});
bar_.append(note);

/** @param {boolean} on */
function setWhy(on) {
  state.why = on;
  whyButton.setAttribute("aria-pressed", String(on));
  if (state.site) drawReads(state.site);
}

const filterBox = /** @type {HTMLInputElement} */ (part("filter"));
filterBox.addEventListener("input", () => {
  list.filter(filterBox.value);
  status();
  if (state.tiles) drawTiles();
});
const jumpBox = /** @type {HTMLInputElement} */ (part("jump"));
jumpBox.addEventListener("keydown", (event) => {
  const at = event.key === "Enter" ? find(jumpBox.value) : null;
  if (at !== null) choose(at);
});
part("table").addEventListener("toggle", () => state.site && drawTable(state.site));

pileup.addEventListener("mousemove", (event) => readOut(state.geometry?.at(event.offsetX, event.offsetY) ?? null));
pileup.addEventListener("mouseleave", () => readOut(state.pinned === null ? null : { row: state.pinned, column: -1 }));
pileup.addEventListener("click", (event) => {
  const cell = state.geometry?.at(event.offsetX, event.offsetY);
  state.pinned = cell && cell.row >= 0 && cell.row !== state.pinned ? cell.row : null;
  if (state.site) drawReads(state.site);
});

/** @type {Record<string, () => void>} */
const keys = {
  j: () => go(1), k: () => go(-1), ArrowDown: () => go(1), ArrowUp: () => go(-1), ArrowRight: () => go(1), ArrowLeft: () => go(-1),
  n: () => go(1, fails), s: () => list.sort((list.column + 1) % 4), t: () => setTiles(!state.tiles), w: () => setWhy(!state.why),
  p: play, r: () => setMark("real"), f: () => setMark("false"), u: () => setMark("unsure"), x: () => setMark(null), e: exportMarks,
  "/": () => filterBox.focus(), g: () => jumpBox.focus(),
  c: () => setChannel(state.channel === null ? 0 : state.channel + 1), C: () => setChannel((state.channel ?? 0) - 1),
  Escape: () => (state.tiles ? setTiles(false) : setChannel(null)),
};
/** @param {number|null} channel */
function setChannel(channel) {
  state.channel = channel;
  if (state.site) drawChannels(state.site);
}
document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof HTMLInputElement) {
    if (event.key === "Escape") target.blur();
    return;
  }
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});
darkness.addEventListener("change", () => (state.tiles ? drawTiles() : draw()));
window.addEventListener("hashchange", () => {
  const at = addressed();
  if (at === null) return;
  if (state.tiles) setTiles(false);
  choose(at);
});
let waiting = 0;
window.addEventListener("resize", () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => {
    list.draw();
    if (!state.tiles) draw();
  });
});
window.addEventListener("beforeprint", () => {
  printing = true;
  draw();
});
window.addEventListener("afterprint", () => {
  printing = false;
  draw();
});

list.arrange();
status();
if (entries.length) await choose(addressed() ?? 0);
else part("call").replaceChildren(make("p", "No call is chosen: nothing to show. The notes above say why.", "empty"));
document.documentElement.dataset.ready = "true";
