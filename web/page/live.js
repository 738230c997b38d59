// @ts-check
// The calls of files that the reader chooses. This module stands where packed.js stands in a page that holds its calls: the
// viewer asks it for the index, which comes once the files are scored, and for one call after the other.
import { decode, signs, unpack } from "../../crates/view/src/assets/site.js";
/** @typedef {import("../../crates/view/src/assets/site.js").Index} Index */
/** @typedef {import("../../crates/view/src/assets/site.js").Layout} Layout */
/** @typedef {import("../../crates/view/src/assets/site.js").Entry} Entry */
/** @typedef {import("../../crates/view/src/assets/site.js").Site} Site */
/** @typedef {{text: string[], numbers: number[], read: number}} Lines */
/** @typedef {Entry & {record: number, example: number, lines: Lines}} LiveEntry */
/** @typedef {{name: string, blob: Blob, time: number}} Given */
/** @typedef {{calls: LiveEntry[], skipped: [string, number][], scored: number, judged: [number, number], unsettled: number[]}} Scored */
/** @typedef {{result: any, error?: string, warnings: string[], bytes: Uint8Array, memory: number}} Answer */

/** Records of a request: few enough that the page hears often, and that all workers have some. */
const RECORDS = 64;
/** Records that the list takes. */
const MOST_RECORDS = 50_000;
/** Bytes of memory for all instances of the program together. */
const MOST_MEMORY = 300e6;
/** Milliseconds without a question of the reader before the workers do anything else. */
const QUIET = 400;
/** Calls that are kept after they were shown. */
const KEPT = 40;

/** @param {string} id */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id}`);
  return found;
}

/** Bytes of a part of the page: base 64 of what was deflated. @param {string} id */
const bytesOf = (id) => unpack(byId(id).textContent ?? "");

/** An instance of the program in a worker. */
class Program {
  /** @param {WebAssembly.Module} module @param {Given[]} files @param {string} script */
  constructor(module, files, script) {
    this.worker = new Worker(script);
    /** @type {Map<number, (answer: Answer) => void>} */
    this.waiting = new Map();
    this.asked = 0;
    this.worker.addEventListener("message", ({ data }) => {
      this.waiting.get(data.id)?.(data);
      this.waiting.delete(data.id);
    });
    this.post({ module, files });
  }

  /** @param {object} message @returns {Promise<Answer>} */
  post(message) {
    const id = this.asked++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ id, ...message });
    });
  }

  /** @param {object} request @returns {Promise<Answer>} */
  async ask(request) {
    const answer = await this.post({ request });
    answer.warnings.forEach(warn);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}

/** The instances that are running. @type {Program[]} */
let programs = [];

/** Begins instances over some files. @param {Given[]} files */
async function begin(files) {
  programs.forEach((program) => program.worker.terminate());
  const module = await compiled();
  // A CRAM is decoded beside a whole contig of its reference: of a large one there is room for one.
  const isLarge = files.some(({ name, blob }) => isReference(name) && blob.size > 5e8);
  const isCram = files.some(({ name }) => name.endsWith(".cram"));
  const most = isCram && isLarge ? 1 : 4;
  const count = Math.max(1, Math.min(most, navigator.hardwareConcurrency || 2));
  const script = URL.createObjectURL(new Blob([byId("worker").textContent ?? ""], { type: "text/javascript" }));
  programs = Array.from({ length: count }, () => new Program(module, files, script));
}

/** @type {Promise<WebAssembly.Module>|null} */
let compiling = null;
function compiled() {
  compiling ??= bytesOf("program").then((bytes) => WebAssembly.compile(/** @type {BufferSource} */ (bytes)));
  return compiling;
}

/** When the reader last looked at a call. */
let asked = 0;

/** Files that were chosen, by name. @type {Map<string, Given>} */
const chosen = new Map();

/** @param {string} name */
const isCalls = (name) => /\.(vcf|vcf\.b?gz|bcf)$/.test(name);
/** @param {string} name */
const isReads = (name) => /\.(bam|cram)$/.test(name);
/** @param {string} name */
const isReference = (name) => /\.(fa|fasta|fna)(\.b?gz)?$/.test(name);
/** @param {string} name */
const isIndex = (name) => /\.(bai|csi|crai|tbi|fai|gzi)$/.test(name);

/** The file that was chosen last, of some. @param {(name: string) => boolean} test */
function last(test) {
  return [...chosen.keys()].filter(test).at(-1);
}

/** @param {number} bytes */
function size(bytes) {
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${["B", "kB", "MB", "GB"][power]}`;
}

/** @param {string} name */
function roleOf(name) {
  if (isCalls(name)) return name === last(isCalls) ? "calls" : "calls, not used: another file was chosen later";
  if (isReads(name)) return "reads";
  if (isReference(name)) return name === last(isReference) ? "reference" : "reference, not used: another file was chosen later";
  return isIndex(name) ? "index" : "not used";
}

/** Shows what was chosen and what is missing. */
function showChosen() {
  const table = byId("chosen");
  table.replaceChildren(
    ...[...chosen.values()].map(({ name, blob }) => {
      const line = document.createElement("tr");
      for (const text of [name, roleOf(name), size(blob.size)]) {
        const cell = document.createElement("td");
        cell.textContent = text;
        line.append(cell);
      }
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.setAttribute("aria-label", `Take ${name} out`);
      button.addEventListener("click", () => {
        chosen.delete(name);
        showChosen();
      });
      const cell = document.createElement("td");
      cell.append(button);
      line.append(cell);
      return line;
    }),
  );
  const missing = [];
  if (!last(isCalls)) missing.push("the calls (.vcf, .vcf.gz)");
  if (!last(isReference)) missing.push("the reference (.fa with .fai, or .fa.gz with .fai and .gzi)");
  const hint = byId("hint");
  if (chosen.size && missing.length) hint.textContent = `Still to come: ${missing.join(" and ")}.`;
  else if (missing.length) hint.textContent = "";
  else if (!last(isReads)) hint.textContent = "Without reads the calls are scored from the reference and their annotations alone. Reads (.bam with .bai, .cram with .crai) make the scores better.";
  else hint.textContent = "All is there.";
  /** @type {HTMLButtonElement} */ (byId("score")).disabled = missing.length > 0;
}

/** @param {Iterable<File>} files */
function take(files) {
  for (const file of files) chosen.set(file.name, { name: file.name, blob: file, time: file.lastModified });
  problem("");
  showChosen();
}

/** Says what is wrong. @param {string} text */
function problem(text) {
  const box = byId("problem");
  box.textContent = text;
  box.hidden = !text;
}

/** What there is to tell about the files. @param {string} text */
function warn(text) {
  const said = [...byId("warnings").children].some((line) => line.textContent === text);
  if (said) return;
  const line = document.createElement("li");
  line.textContent = text;
  byId("warnings").append(line);
}

/** @param {string} text */
function progress(text) {
  byId("progress").textContent = text;
}

/** A number with commas. @param {number} value */
const counted = (value) => value.toLocaleString("en");

/** @type {(index: Index) => void} */
let ready;
/** @type {Promise<Index>} */
const scored = new Promise((resolve) => {
  ready = resolve;
});

/** Scores the chosen files; the viewer begins with the index. */
async function score() {
  const button = /** @type {HTMLButtonElement} */ (byId("score"));
  button.disabled = true;
  problem("");
  byId("warnings").replaceChildren();
  byId("start").setAttribute("aria-busy", "true");
  try {
    await scoreFiles();
  } catch (error) {
    progress("");
    problem(error instanceof Error ? error.message : String(error));
    button.disabled = false;
  }
  byId("start").removeAttribute("aria-busy");
}

async function scoreFiles() {
  progress("Opening the files …");
  const region = /** @type {HTMLInputElement} */ (byId("region")).value.trim();
  const plan = {
    do: "open",
    calls: last(isCalls),
    reads: [...chosen.keys()].filter(isReads),
    reference: last(isReference),
    regions: region ? region.split(/\s+/) : [],
    filter: /** @type {HTMLInputElement} */ (byId("filters")).checked,
    depths: null,
  };
  await begin([...chosen.values()]);
  const { result: opened, bytes: header, memory } = await programs[0].ask(plan);
  // Headers of many contigs take room in each instance.
  const room = Math.max(1, Math.floor(MOST_MEMORY / memory));
  programs.splice(room).forEach((program) => program.worker.terminate());
  await Promise.all(programs.slice(1).map((program) => program.ask({ ...plan, depths: opened.depths })));
  const sum = await scoreRecords();
  const { entries, answers } = sum;
  showSummary(sum, opened);
  offer(sum.isWhole ? [{ bytes: header }, ...answers] : null, String(plan.calls));
  /** @type {Index} */
  const index = { model: opened.model, chunk: 1, layout: opened.layout, calls: entries };
  // For other scripts, as tests and courses run them.
  document.dispatchEvent(new CustomEvent("scored", { detail: index }));
  ready(index);
}

/**
 * Reads the records in one worker and scores them in all, some requests ahead; puts together what they make in the order of
 * the file.
 */
async function scoreRecords() {
  /** @type {Promise<void>[]} */
  const requests = [];
  /** @type {(Answer & {lines: Lines})[]} */
  const answers = [];
  /** @type {Error[]} */
  const errors = [];
  const begun = performance.now();
  let [records, done, turn, isWhole] = [0, 0, 0, true];
  while (!errors.some(Boolean)) {
    /** @type {{result: Lines}} */
    const { result: lines } = await programs[0].ask({ do: "read", most: RECORDS });
    if (!lines.text.length) {
      if (!lines.read) break;
      progress(`Looking for the region: ${counted(lines.read)} records …`);
      continue;
    }
    records += lines.text.length;
    const place = requests.length;
    const scoring = programs[turn++ % programs.length].ask({ do: "score", lines, exact: false });
    requests.push(
      scoring.then(
        (answer) => {
          answers[place] = { ...answer, lines };
          done += lines.text.length;
          const rate = Math.round((done / (performance.now() - begun)) * 1000);
          progress(`${counted(done)} records scored, ${counted(rate)} a second`);
        },
        (error) => {
          errors[place] = error;
        },
      ),
    );
    await requests[requests.length - 3 * programs.length];
    if (records >= MOST_RECORDS) {
      isWhole = false;
      warn(`The list ends after ${counted(records)} records. Name a region to see others; the program scores files of any length.`);
      break;
    }
  }
  await Promise.all(requests);
  // Of several errors that of the first record is told.
  const first = errors.find(Boolean);
  if (first) throw first;
  return { ...gathered(answers), records, isWhole, seconds: (performance.now() - begun) / 1000 };
}

/** @param {(Answer & {lines: Lines})[]} answers */
function gathered(answers) {
  /** @type {LiveEntry[]} */
  const entries = [];
  /** @type {Map<string, number>} */
  const skipped = new Map();
  const judged = [0, 0];
  let count = 0;
  for (const { result, lines } of answers) {
    const { calls, skipped: few, scored: some, judged: both } = /** @type {Scored} */ (result);
    count += some;
    few.forEach(([reason, number]) => skipped.set(reason, (skipped.get(reason) ?? 0) + number));
    both.forEach((number, at) => (judged[at] += number));
    for (const call of calls) {
      const at = lines.numbers.indexOf(call.record);
      entries.push(Object.assign(call, { lines: { text: [lines.text[at]], numbers: [call.record], read: 0 } }));
    }
  }
  return { entries, answers, skipped, judged, count };
}

/** @param {Awaited<ReturnType<typeof scoreRecords>>} sum @param {{model: string, samples: (string|null)[], depths: number[]}} opened */
function showSummary(sum, opened) {
  const parts = [`${counted(sum.records)} records, ${counted(sum.count)} with a score`];
  for (const [reason, number] of sum.skipped) parts.push(`${counted(number)} without: ${reason}`);
  if (sum.judged[0] + sum.judged[1]) parts.push(`${counted(sum.judged[0])} pass, ${counted(sum.judged[1])} fail`);
  const depths = opened.depths.filter((depth) => depth > 0).map((depth) => `${depth.toFixed(1)}x`);
  if (depths.length) parts.push(`mean depth ${depths.join(", ")}`);
  parts.push(`scored with ${opened.model} in ${sum.seconds.toFixed(1)} s`);
  byId("summary").textContent = `${[last(isCalls), ...[...chosen.keys()].filter(isReads), last(isReference)].join(", ")}: ${parts.join("; ")}.`;
  byId("start").hidden = true;
  document.body.classList.add("scored");
}

/** @typedef {{bytes: Uint8Array, lines?: Lines, result?: Scored}} Piece */

/** Offers the scored file. @param {Piece[]|null} pieces @param {string} calls */
function offer(pieces, calls) {
  const button = /** @type {HTMLButtonElement} */ (byId("download"));
  button.disabled = !pieces;
  if (!pieces) return;
  const settled = settle(pieces);
  button.addEventListener("click", async () => {
    button.disabled = true;
    await settled;
    button.disabled = false;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(/** @type {BlobPart[]} */ (pieces.map(({ bytes }) => bytes)), { type: "text/plain" }));
    link.download = calls.replace(/\.(vcf|vcf\.b?gz|bcf)$/, ".scored.vcf");
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

/**
 * Computes digits again that depend on how a processor rounds, so that the file has the bytes of the program. It takes
 * several times as long as scoring, so it is done while the reader looks at calls, a few records at a time.
 * @param {Piece[]} pieces
 */
async function settle(pieces) {
  /** @type {{lines: string[], at: number[], some: Lines}[]} */
  const tasks = [];
  const texts = pieces.map(({ bytes, lines, result }) => {
    const open = result?.unsettled ?? [];
    if (!lines || !open.length) return null;
    const written = new TextDecoder().decode(bytes).split("\n");
    for (let from = 0; from < open.length; from += 2) {
      const numbers = open.slice(from, from + 2);
      const at = numbers.map((number) => lines.numbers.indexOf(number));
      tasks.push({ lines: written, at, some: { text: at.map((one) => lines.text[one]), numbers, read: 0 } });
    }
    return written;
  });
  let next = 0;
  const work = async (/** @type {Program} */ program) => {
    while (next < tasks.length) {
      if (performance.now() - asked < QUIET) {
        await new Promise((resolve) => setTimeout(resolve, QUIET));
        continue;
      }
      const { lines, at, some } = tasks[next++];
      const { bytes } = await program.ask({ do: "score", lines: some, exact: true });
      const again = new TextDecoder().decode(bytes).split("\n");
      at.forEach((one, place) => (lines[one] = again[place]));
      byId("settling").textContent = next < tasks.length ? `Last digits of the file: ${Math.floor((next / tasks.length) * 100)} %` : "";
    }
  };
  await Promise.all(programs.map(work));
  texts.forEach((lines, at) => lines && (pieces[at].bytes = new TextEncoder().encode(lines.join("\n"))));
}

/** Takes the files of the demo, which lie in the page. */
async function takeDemo() {
  const names = [...document.querySelectorAll("script[data-file]")];
  for (const element of names) {
    const name = element.getAttribute("data-file") ?? "";
    const bytes = await bytesOf(element.id);
    chosen.set(name, { name, blob: new Blob([/** @type {BlobPart} */ (bytes)]), time: 0 });
  }
  showChosen();
  await score();
}

/** The index, once the chosen files are scored. @returns {Promise<Index>} */
export function readIndex() {
  return scored;
}

/** Nothing is kept by the browser: the files may be a patient's. */
export function storeOf() {
  return "";
}

/** Asks the program for calls, and keeps the last few. */
export class Sites {
  /** @param {Index} index */
  constructor(index) {
    this.index = index;
    this.signs = signs(index.layout);
    /** @type {Map<number, Promise<Site>>} */
    this.kept = new Map();
  }

  /** @param {number} at @returns {Promise<Site>} */
  get(at) {
    const kept = this.kept.get(at);
    if (kept) return kept;
    const asked = this.ask(at);
    this.kept.set(at, asked);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value ?? -1);
    return asked;
  }

  /** @param {number} at @returns {Promise<Site>} */
  async ask(at) {
    const { result, bytes } = await this.request(at, { do: "show", detail: true });
    const { reasons, suspect, left_out } = result.entry;
    Object.assign(this.index.calls[at], { reasons, suspect, left_out });
    return this.decoded(bytes);
  }

  /** Asks for a call: always the same instance for one call, which holds its reads. @param {number} at @param {object} what */
  request(at, what) {
    const entry = /** @type {LiveEntry} */ (this.index.calls[at]);
    asked = performance.now();
    return programs[at % programs.length].ask({ ...what, line: entry.lines, example: entry.example });
  }

  /** @param {Uint8Array} bytes */
  decoded(bytes) {
    return decode(bytes, this.index.layout, this.signs.sign);
  }
}

const picker = /** @type {HTMLInputElement} */ (byId("files"));
picker.addEventListener("change", () => {
  take(picker.files ?? []);
  picker.value = "";
});
byId("choose").addEventListener("click", () => picker.click());
byId("score").addEventListener("click", score);
byId("demo").addEventListener("click", takeDemo);
byId("again").addEventListener("click", () => location.reload());
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  if (!byId("start").hidden) take(event.dataTransfer?.files ?? []);
});
showChosen();
document.documentElement.dataset.open = "true";
// The program is compiled while the reader chooses files.
compiled().catch((error) => problem(`This browser cannot run the program: ${error}. Chromium, Edge, Firefox and Safari of 2023 or later can.`));
