// @ts-check
// The sandbox: the reads of the call that is shown are changed, and the network looks again. What it computes on the way is
// shown layer by layer.
import { css, between, isReverse } from "../../crates/view/src/assets/draw.js";
import { standardised } from "../../crates/view/src/assets/site.js";
import { OUTPUTS, bar, choose, colours, draw, entries, layout, make, part, sites, state } from "../../crates/view/src/assets/page.js";
import { fails, probability } from "../../crates/view/src/assets/calls.js";
import { run } from "./live.js";
/** @typedef {import("../../crates/view/src/assets/site.js").Site} Site */
/** @typedef {import("../../crates/view/src/assets/site.js").Entry} Entry */
/** @typedef {{name: string, reverse: boolean, position: number, base: string}} BaseEdit */
/** @typedef {{off: string[], keep: number|null, quality: number, mapping_quality: number|null, strand: string, implant: number|null, bases: BaseEdit[], alternate: string|null, without_annotations: boolean, without_channels: string[]}} Edits */
/** @typedef {{name: string, axes: string[], shape: number[]}} Layer */

const live = /** @type {import("./live.js").Sites} */ (/** @type {unknown} */ (sites));

/** @returns {Edits} */
const nothing = () => ({ off: [], keep: null, quality: 0, mapping_quality: null, strand: "kept", implant: null, bases: [], alternate: null, without_annotations: false, without_channels: [] });

/** What each layer is, in words for people who know genetics. @type {Record<string, string>} */
const LAYERS = {
  haplotype: "REF and ALT, side by side. Filters that look at a few columns of both at a time: where they differ, what repeats.",
  read: "Each read by itself: filters see a few of its bases, their qualities, and whether they agree with the reference. One strip a read, one line a filter.",
  read_dense2: "The numbers of each read (strand, mapping quality, mismatches) mixed: one column a read.",
  site1: "The reads joined: for each column the mean and the strongest signal over all reads and over those with the ALT.",
  site2: "What was seen of the reads and of REF and ALT together, along the window.",
  join1: "All of it and the numbers of the call (depth, support, annotations) in one list: evidence for and against.",
  join2: "The same, boiled down. From these the four outputs are weighed.",
};

let edits = nothing();
/** Edits before the last one, for undo. @type {Edits[]} */
const before = [];
/** The call as the files have it. @type {{at: number, entry: Entry, site: Site}|null} */
let original = null;
let running = false;
let waits = false;

const panel = part("sandbox");
const said = make("p", "", "note");
said.setAttribute("role", "status");
const outputs = make("div", undefined, "bars outputs");
outputs.setAttribute("aria-live", "polite");
const layersBox = make("details");
const controls = make("div", undefined, "controls");
/** Puts the controls to where the edits are. @type {(() => void)[]} */
const resets = [];

/** Remembers what was before and asks the network. @param {Partial<Edits>} change */
function edit(change) {
  before.push(edits);
  if (before.length > 200) before.shift();
  edits = { ...edits, ...change };
  undoButton.disabled = false;
  look();
}

/** Asks the network; of changes that come meanwhile only the last counts. */
async function look() {
  if (running) {
    waits = true;
    return;
  }
  running = true;
  keep();
  const { at } = state;
  try {
    const begun = performance.now();
    const { result, bytes } = await live.request(at, { do: "edit", edits });
    if (state.at === at && original) {
      const site = live.decoded(bytes);
      const { logits, score, probability, threshold, reads, alt, alts, kind } = result.entry;
      entries[at] = { ...original.entry, logits, score, probability, threshold, reads, alt, alts, kind, reasons: [], suspect: null };
      state.site = site;
      draw();
      showOutputs(logits, probability);
      countPassing();
      say(site, performance.now() - begun);
      if (layersBox.hasAttribute("open")) showLayers();
    }
  } catch (error) {
    said.textContent = error instanceof Error ? error.message : String(error);
  }
  running = false;
  if (waits) {
    waits = false;
    look();
  }
}

/** Keeps the call as the files have it. */
function keep() {
  if (original?.at !== state.at && state.site) original = { at: state.at, entry: entries[state.at], site: state.site };
}

/** @param {number[]} logits @param {number|null} probability */
function showOutputs(logits, probability) {
  const c = colours();
  const most = Math.max(...logits);
  const parts = logits.map((logit) => Math.exp(logit - most));
  const sum = parts.reduce((a, b) => a + b, 0);
  outputs.replaceChildren(
    ...OUTPUTS.map((name, at) => bar(name, parts[at] / sum, 0, 1, (parts[at] / sum).toFixed(3), css(at > 1 ? c.plus : c.minus))),
    bar("probability", probability ?? 0, 0, 1, (probability ?? 0).toFixed(5), css(c.plus)),
  );
}

/** Says what the change led to, and where it leaves what the network knows. @param {Site} site @param {number} took */
function say(site, took) {
  if (!original) return;
  const far = (/** @type {Site} */ one) => {
    const names = new Set();
    layout.site.forEach((quantity, at) => {
      const z = standardised(one.site[at], quantity.scaling);
      if (z !== null && Math.abs(z) > 4) names.add(quantity.name);
    });
    return names;
  };
  const usual = far(original.site);
  const names = [...far(site)].filter((name) => !usual.has(name));
  const words = [`${site.rows} reads; ${took.toFixed(0)} ms.`];
  if (edits.implant !== null) words.push("The implanted allele is made up: real ones come with the mates, qualities and neighbours of a real molecule.");
  if (edits.alternate !== null) words.push("Another allele: the caller never called it.");
  if (edits.without_channels.length) words.push(`Without ${edits.without_channels.length} of ${run.channels.length} channels.`);
  if (names.length) words.push(`Training hardly had such values of ${names.slice(0, 4).join(", ")}: the answer is a guess.`);
  if (site.annotations.some(Number.isFinite) && (edits.implant !== null || edits.keep !== null || edits.off.length || edits.bases.length || edits.alternate !== null)) {
    words.push("The caller's annotations still speak of the reads as they were.");
  }
  said.textContent = words.join(" ");
}

/** Back to the call as the files have it. */
function reset() {
  edits = nothing();
  before.length = 0;
  undoButton.disabled = true;
  resets.forEach((put) => put());
  if (original) {
    entries[original.at] = original.entry;
    if (state.at === original.at) {
      state.site = original.site;
      draw();
      showOutputs(original.entry.logits, original.entry.probability);
      said.textContent = "As the files have it.";
      if (layersBox.hasAttribute("open")) showLayers();
    }
    original = null;
  }
}

function undo() {
  const last = before.pop();
  if (!last) return;
  edits = last;
  undoButton.disabled = !before.length;
  resets.forEach((put) => put());
  look();
}

/**
 * A slider that does nothing until it is moved.
 * @param {string} name @param {string} title @param {[number, number, number]} range from, to, step
 * @param {number} rest where it stands while it does nothing
 * @param {() => number|null} now @param {(value: number) => Partial<Edits>} change @param {(value: number) => string} text
 */
function slider(name, title, [from, to, step], rest, now, change, text) {
  const input = /** @type {HTMLInputElement} */ (make("input"));
  Object.assign(input, { type: "range", min: from, max: to, step, value: rest, title });
  const value = make("span", "as it is", "num");
  const label = make("label");
  label.append(make("span", name), input, value);
  label.title = title;
  const put = () => {
    const at = now();
    input.value = String(at ?? rest);
    value.textContent = at === null ? "as it is" : text(at);
  };
  input.addEventListener("input", () => {
    edit(change(Number(input.value)));
    put();
  });
  resets.push(put);
  controls.append(label);
  return input;
}

/** @param {string} text @param {string} title @param {() => void} act */
function action(text, title, act) {
  const button = /** @type {HTMLButtonElement} */ (make("button", text, "act"));
  button.type = "button";
  button.title = title;
  button.addEventListener("click", act);
  return button;
}

const percent = (/** @type {number} */ value) => `${Math.round(value * 100)} %`;
slider("ALT in", "Writes the ALT into a share of the fragments over the call, REF into the others: mosaic, heterozygous, homozygous", [0, 1, 0.01], 0.5,
  () => edits.implant, (value) => ({ implant: value }), percent);
slider("keep", "Takes fragments away: less depth", [0, 1, 0.01], 1, () => edits.keep, (value) => ({ keep: value }), percent);
slider("base quality", "Adds to the quality of every base", [-40, 20, 1], 0, () => edits.quality || null, (value) => ({ quality: value }), (value) => `${value > 0 ? "+" : ""}${value}`);
slider("MAPQ", "Gives all reads this mapping quality", [0, 60, 1], 60, () => edits.mapping_quality, (value) => ({ mapping_quality: value }), String);

const strands = /** @type {HTMLSelectElement} */ (make("select"));
for (const [value, text] of [["kept", "strands as they are"], ["flipped", "each read on the other strand"], ["one", "ALT reads on one strand only"]]) {
  const option = /** @type {HTMLOptionElement} */ (make("option", text));
  option.value = value;
  strands.append(option);
}
strands.setAttribute("aria-label", "Strands");
strands.addEventListener("change", () => edit({ strand: strands.value }));
resets.push(() => (strands.value = edits.strand));

const annotations = /** @type {HTMLInputElement} */ (make("input"));
annotations.type = "checkbox";
annotations.addEventListener("change", () => edit({ without_annotations: annotations.checked }));
resets.push(() => (annotations.checked = edits.without_annotations));
const annotationsLabel = make("label");
annotationsLabel.append(annotations, "without the caller's annotations");

/** Titles of the groups of channels, by the prefix of their names. @type {Record<string, string>} */
const CHANNELS = {
  cell: "of each base of a read",
  read: "of each read",
  haplotype: "of each column of REF and ALT",
};
const channelsBox = make("details");
channelsBox.append(make("summary", "Channels: what the network may see"));
/** Makes the switches of the model's channels, once they are known. */
function showChannels() {
  channelsBox.hidden = !run.channels.length;
  const known = channelsBox.querySelectorAll("input").length;
  if (known === run.channels.length) return;
  const groups = Object.entries(CHANNELS).flatMap(([prefix, text]) => {
    const names = run.channels.filter((name) => name.startsWith(`${prefix}.`));
    if (!names.length) return [];
    const group = make("fieldset");
    const all = action("all or none", "Switches the channels of this group", () => {
      const others = edits.without_channels.filter((name) => !names.includes(name));
      edit({ without_channels: others.length === edits.without_channels.length ? [...others, ...names] : others });
      putChannels();
    });
    const legend = make("legend", `${text} `);
    legend.append(all);
    group.append(legend, ...names.map((name) => {
      const input = /** @type {HTMLInputElement} */ (make("input"));
      Object.assign(input, { type: "checkbox", value: name });
      input.addEventListener("change", () => {
        const others = edits.without_channels.filter((one) => one !== name);
        edit({ without_channels: input.checked ? others : [...others, name] });
      });
      const label = make("label");
      label.append(input, name.slice(prefix.length + 1).replaceAll("_", " "));
      return label;
    }));
    return [group];
  });
  channelsBox.replaceChildren(channelsBox.children[0], make("p", "A channel that is off is 0 everywhere. The network was trained with all of them: without one it guesses.", "note"), ...groups);
  putChannels();
}
function putChannels() {
  for (const input of channelsBox.querySelectorAll("input")) input.checked = !edits.without_channels.includes(input.value);
}
resets.push(putChannels);

const undoButton = action("undo", "Takes the last change back", undo);
undoButton.disabled = true;
const more = make("div", undefined, "options");
more.append(
  strands, annotationsLabel,
  action("switch the pinned read off", "Click a read in the pileup, then this; its mate goes with it", () => {
    const name = state.pinned === null ? "" : state.site?.names[state.pinned];
    if (!name) said.textContent = "Click a read in the pileup first.";
    else {
      state.pinned = null;
      edit({ off: [...edits.off, name] });
    }
  }),
  undoButton, action("reset", "The call as the files have it", reset),
);

const otherAlt = /** @type {HTMLInputElement} */ (make("input"));
Object.assign(otherAlt, { type: "text", size: 12, spellcheck: false, autocomplete: "off" });
otherAlt.addEventListener("change", () => {
  const typed = otherAlt.value.trim().toUpperCase();
  const own = original?.entry.alt ?? entries[state.at].alt;
  edit({ alternate: typed && typed !== own.toUpperCase() ? typed : null });
});
resets.push(() => (otherAlt.value = edits.alternate ?? original?.entry.alt ?? entries[state.at].alt));
const otherAltLabel = make("label", "ALT ");
otherAltLabel.title = "Asks for another allele at the same place: letters A, C, G, T";
otherAltLabel.append(otherAlt);

// A base of a read: click its cell, then a letter.
/** @type {Omit<BaseEdit, "base">|null} */
let pointed = null;
const pointedText = make("span", "a base of a read: click it in the pileup");
const letters = make("span", undefined, "letters");
for (const base of "ACGT") {
  letters.append(action(base, `Writes ${base} into the read there; the quality stays`, () => {
    if (!pointed) return;
    const { name, reverse, position } = pointed;
    const others = edits.bases.filter((one) => one.name !== name || one.reverse !== reverse || one.position !== position);
    edit({ bases: [...others, { ...pointed, base }] });
  }));
}
/** @param {boolean} on */
function allowLetters(on) {
  for (const button of letters.children) /** @type {HTMLButtonElement} */ (button).disabled = !on;
  if (!on) pointedText.textContent = "a base of a read: click it in the pileup";
}
part("pileup").addEventListener("click", (event) => {
  const cell = state.geometry?.at(event.offsetX, event.offsetY);
  const { site } = state;
  pointed = null;
  if (site && cell && cell.row >= 0 && cell.column >= 0) {
    const name = site.names[cell.row];
    const position = site.positions[cell.column];
    if (name && position !== null) pointed = { name, reverse: isReverse(layout, site, cell.row), position };
  }
  allowLetters(pointed !== null);
  if (pointed) pointedText.textContent = `${pointed.name} at ${pointed.position.toLocaleString("en")}:`;
});
const alleles = make("div", undefined, "options");
alleles.append(otherAltLabel, pointedText, letters, action("link", "Puts the state of the sandbox into the page's address", link));

/** Puts the state into the address: the call and the changes, no data. */
function link() {
  if (!run.isDemo) {
    said.textContent = "A link holds no data, so it can lead to the demo only. Keep the files and the settings.";
    return;
  }
  const { contig, pos, ref, alts } = original?.entry ?? entries[state.at];
  const usual = nothing();
  const changed = Object.entries(edits).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[/** @type {keyof Edits} */ (key)]));
  const parts = new URLSearchParams({ call: `${contig}:${pos}:${ref}:${alts}`, edits: JSON.stringify(Object.fromEntries(changed)) });
  location.hash = `demo&${parts}`;
  said.textContent = "The address of this page is a link to this state now.";
}

/** Goes to the state that the address has. */
async function follow() {
  const { hash } = location;
  if (!hash.startsWith("#demo&") || !run.isDemo) return;
  const parts = new URLSearchParams(hash.slice(6));
  const at = entries.findIndex((entry) => `${entry.contig}:${entry.pos}:${entry.ref}:${entry.alts}` === parts.get("call"));
  if (at < 0) return;
  await choose(at);
  box.open = true;
  try {
    edit(JSON.parse(parts.get("edits") ?? "{}"));
  } catch {
    said.textContent = "The link is damaged.";
  }
  resets.forEach((put) => put());
}

// Thresholds: what passes and what fails if they are moved.
const aims = /** @type {HTMLSelectElement} */ (make("select"));
aims.setAttribute("aria-label", "Aim of the threshold");
const bar01 = /** @type {HTMLInputElement} */ (make("input"));
Object.assign(bar01, { type: "range", min: 0, max: 1, step: 0.001, title: "A call passes where its probability is at least this" });
bar01.setAttribute("aria-label", "Threshold");
const passing = make("span", "", "note");
passing.setAttribute("role", "status");
const thresholdsBox = make("div", undefined, "options");
thresholdsBox.append(make("span", "threshold"), aims, bar01, passing);

/** The thresholds of the call's kind, and the one that FILTER has. */
function showThresholds() {
  const { kind, threshold } = entries[state.at];
  const known = [...(run.thresholds[kind] ?? [])].sort((a, b) => a.probability - b.probability);
  thresholdsBox.hidden = !known.length;
  aims.replaceChildren(...known.map(({ aim, probability, precision, recall }) => {
    const option = /** @type {HTMLOptionElement} */ (make("option", `${aim}: ${probability}; on held-out calls precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}`));
    option.value = String(probability);
    return option;
  }));
  aims.value = String(threshold ?? known[0]?.probability ?? "");
  bar01.value = aims.value;
  countPassing();
}

/** Says what passes at the threshold that is set. */
function countPassing() {
  const at = Number(aims.value || bar01.value);
  const entry = entries[state.at];
  const same = entries.filter((one) => one.kind === entry.kind);
  const passes = same.filter((one) => probability(one) >= at).length;
  const now = same.filter((one) => !fails(one)).length;
  passing.textContent = `At ${at} this call ${probability(entry) >= at ? "passes" : "fails"}, and ${passes} of the ${same.length} ${entry.kind}s of the list pass (${now} by FILTER).`;
}
aims.addEventListener("change", () => {
  bar01.value = aims.value;
  countPassing();
});
bar01.addEventListener("input", () => {
  aims.value = bar01.value;
  countPassing();
});

/** Draws a layer: its last axis downwards, the one before it across; reads one after the other. @param {Layer} layer @param {Float32Array} values */
function layerPicture(layer, values) {
  const [, ...shape] = layer.axes[0] === "read" ? [1, ...layer.shape] : layer.shape;
  const [blocks, columns, filters] = shape.length === 3 ? shape : shape.length === 2 ? (layer.axes[0] === "read" ? [1, shape[0], shape[1]] : [1, shape[0], shape[1]]) : [1, shape[0] ?? 1, 1];
  const shown = Math.min(blocks, 12);
  const scale = Math.max(1, Math.min(6, Math.floor(640 / columns)));
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas"));
  const line = blocks > 1 ? 2 : 4;
  canvas.width = columns * scale;
  canvas.height = shown * (filters * line + 3);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `layer ${layer.name}: ${layer.axes.join(", ")} ${layer.shape.join(" x ")}`);
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const most = values.reduce((large, value) => Math.max(large, Math.abs(value)), 1e-6);
  const c = colours();
  context.fillStyle = css(c.paper);
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let block = 0; block < shown; block++) {
    for (let column = 0; column < columns; column++) {
      for (let filter = 0; filter < filters; filter++) {
        const value = values[(block * columns + column) * filters + filter] / most;
        context.fillStyle = css(between(c.low, value < 0 ? c.minus : c.high, Math.sqrt(Math.abs(value))));
        context.fillRect(column * scale, block * (filters * line + 3) + filter * line, scale, line);
      }
    }
  }
  return canvas;
}

/** Shows what the network computes on the way. */
async function showLayers() {
  const { at } = state;
  const { result, bytes } = await live.request(at, { do: "layers", edits });
  if (state.at !== at) return;
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  /** @type {Map<string, [Layer, Float32Array]>} */
  const found = new Map();
  let place = 0;
  for (const layer of /** @type {Layer[]} */ (result)) {
    const length = layer.shape.reduce((a, b) => a * b, 1);
    found.set(layer.name, [layer, numbers.subarray(place, place + length)]);
    place += length;
  }
  const figures = Object.entries(LAYERS).flatMap(([name, text]) => {
    const one = found.get(name);
    if (!one) return [];
    const figure = make("figure");
    const caption = make("figcaption", name);
    caption.append(make("small", ` ${one[0].axes.join(" × ")}: ${one[0].shape.join(" × ")}`));
    figure.append(caption, make("p", text, "note"), layerPicture(...one));
    return [figure];
  });
  layersBox.replaceChildren(layersBox.children[0], make("p", "From the channels to the answer. Dark: the filter responds; orange: it is below zero. Each picture has its own scale; of many reads the first twelve are shown.", "note"), ...figures);
}
layersBox.append(make("summary", "Layer by layer: what the network computes on the way"));
layersBox.addEventListener("toggle", () => layersBox.hasAttribute("open") && showLayers());

const box = /** @type {HTMLDetailsElement} */ (make("details"));
box.id = "sandbox-box";
box.append(
  make("summary", "Sandbox: change the reads, see what the network makes of it"),
  make("p", "The reads are changed as if the file had them so, and encoded again. Nothing changes in the files or in the scored VCF.", "note"),
  controls, alleles, more, channelsBox, outputs, thresholdsBox, said, layersBox,
);
panel.append(box);
panel.hidden = layout.read.length === 0;

// The call is scored with other weights.
document.addEventListener("weigh", reset);

// Another call is shown: it is as the files have it.
new MutationObserver(() => {
  if (original && original.at !== state.at) {
    entries[original.at] = original.entry;
    original = null;
    edits = nothing();
    before.length = 0;
    undoButton.disabled = true;
  }
  if (original) return;
  resets.forEach((put) => put());
  const entry = entries[state.at];
  pointed = null;
  allowLetters(false);
  showThresholds();
  showChannels();
  said.textContent = "";
  showOutputs(entry.logits, entry.probability);
  if (layersBox.hasAttribute("open")) showLayers();
}).observe(part("call"), { attributes: true, attributeFilter: ["data-shown"] });
window.addEventListener("hashchange", follow);
follow();
