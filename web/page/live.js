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
/** A file: its bytes are a blob's, or lie at an address. @typedef {{name: string, blob: Blob|null, url: string, size: number, time: number}} Given */
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
  const isLarge = files.some((file) => isReference(file.name) && file.size > 5e8);
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

/** The weights that the network computes with. */
export const weights = { small: false };

/** Thresholds of a model's card, by kind. @typedef {{aim: string, probability: number, precision: number, recall: number}} Threshold */
/** What the page knows of the run. */
export const run = {
  /** True for the demo, whose state a link can carry. */
  isDemo: false,
  /** @type {Record<string, Threshold[]>} */ thresholds: {},
  /** What the sandbox can switch off. @type {string[]} */ channels: [],
};

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
/** The files of a model's folder. */
const MODEL = ["model.json", "model.safetensors"];
/** @param {string} name */
const isIndex = (name) => /\.(bai|csi|crai|tbi|fai|gzi)$/.test(name);

/** True where reads were chosen. */
const isReadsThere = () => [...chosen.keys()].some(isReads);

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
  if (MODEL.includes(name)) return name === MODEL[0] ? "the model's card" : "the model's weights";
  return isIndex(name) ? "index" : "not used";
}

/** Shows what was chosen and what is missing. */
function showChosen() {
  const table = byId("chosen");
  table.replaceChildren(
    ...[...chosen.values()].map(({ name, url, size: bytes }) => {
      const line = document.createElement("tr");
      for (const text of [url || name, roleOf(name), size(bytes)]) {
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
  const ofModel = MODEL.filter((name) => !chosen.has(name));
  if (ofModel.length === 1) missing.push(`the other file of the model's folder (${ofModel[0]})`);
  // Of reads alone the calls are found here.
  const finds = !last(isCalls) && isReadsThere() && missing.length === 1;
  byId("finding").hidden = !finds;
  const hint = byId("hint");
  if (finds) hint.textContent = "Without calls, every allele that enough reads show is a call. Name a region, or give calls (.vcf, .vcf.gz).";
  else if (chosen.size && missing.length) hint.textContent = `Still to come: ${missing.join(" and ")}.`;
  else if (missing.length) hint.textContent = "";
  else if (!last(isReads)) hint.textContent = "Without reads the calls are scored from the reference and their annotations alone. Reads (.bam with .bai, .cram with .crai) make the scores better.";
  else hint.textContent = "All is there.";
  byId("score").textContent = finds ? "Find and score" : "Score";
  /** @type {HTMLButtonElement} */ (byId("score")).disabled = missing.length > 0 && !finds;
}

/** @param {string} name @param {Blob} blob @returns {Given} */
const given = (name, blob) => ({ name, blob, url: "", size: blob.size, time: 0 });

/** Where the indexes of a file may lie, by its name. @type {[(name: string) => boolean, string[]][]} */
const INDEXES = [
  [(name) => name.endsWith(".bam"), [".bai", ".csi"]],
  [(name) => name.endsWith(".cram"), [".crai"]],
  [isCalls, [".tbi", ".csi"]],
  [isReference, [".fai", ".gzi"]],
];

/** The size of the file at an address of which parts can be read; null where there is none. @param {URL} url */
async function remoteSize(url) {
  const answer = await fetch(url, { headers: { Range: "bytes=0-0" }, cache: "no-store" });
  if (answer.status === 404 || answer.status === 403) return null;
  await answer.body?.cancel();
  if (answer.status !== 206) throw new Error(`${url}: the server answers ${answer.status} where a part of the file is asked for; it must know ranges (206)`);
  const whole = /\/(\d+)$/.exec(answer.headers.get("Content-Range") ?? "");
  if (whole) return Number(whole[1]);
  // The header is not for pages to see.
  const head = await fetch(url, { method: "HEAD", cache: "no-store" });
  return Number(head.headers.get("Content-Length"));
}

/** Takes the file at the address that was typed, and its index beside it. */
async function takeAddress() {
  const typed = /** @type {HTMLInputElement} */ (byId("address"));
  problem("");
  try {
    const url = new URL(typed.value.trim());
    const nameOf = (/** @type {URL} */ one) => decodeURIComponent(one.pathname.split("/").at(-1) ?? "");
    const own = nameOf(url);
    const put = (/** @type {URL} */ one, /** @type {number} */ bytes) => chosen.set(nameOf(one), { name: nameOf(one), blob: null, url: one.href, size: bytes, time: 0 });
    const bytes = await remoteSize(url);
    if (bytes === null) throw new Error(`${url}: the server has no such file, or does not hand it out`);
    put(url, bytes);
    for (const suffix of INDEXES.flatMap(([test, suffixes]) => (test(own) ? suffixes : []))) {
      const beside = new URL(url);
      beside.pathname += suffix;
      const instead = new URL(url);
      instead.pathname = url.pathname.replace(/\.[^.]*$/, suffix);
      for (const place of [beside, instead]) {
        const found = chosen.has(nameOf(place)) ? null : await remoteSize(place).catch(() => null);
        if (found === null) continue;
        put(place, found);
        break;
      }
    }
    typed.value = "";
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    problem(error instanceof TypeError ? `${typed.value.trim()}: it cannot be read (${said}). The address is wrong, the server is not there, or it does not allow pages to read it (CORS).` : said);
  }
  showChosen();
}

/** @param {Iterable<File>} files */
function take(files) {
  for (const file of files) chosen.set(file.name, { ...given(file.name, file), time: file.lastModified });
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
  const inputs = {
    reads: [...chosen.keys()].filter(isReads),
    reference: last(isReference),
    regions: region ? region.split(/\s+/) : [],
  };
  const model = MODEL.every((name) => chosen.has(name)) ? MODEL : null;
  const files = [...chosen.values()];
  await begin(files);
  let calls = last(isCalls);
  if (!calls) {
    const found = await findCalls(inputs);
    await Promise.all(programs.map((program) => program.post({ files: [...files, found] })));
    calls = found.name;
  }
  const plan = {
    do: "open",
    ...inputs,
    calls,
    model,
    filter: /** @type {HTMLInputElement} */ (byId("filters")).checked,
    depths: null,
  };
  const { result: opened, bytes: header, memory } = await programs[0].ask(plan);
  run.thresholds = opened.thresholds?.kinds ?? {};
  run.channels = opened.channels;
  /** @type {HTMLSelectElement} */ (byId("weights")).disabled = opened.is_quantized;
  // Headers of many contigs take room in each instance.
  const room = Math.max(1, Math.floor(MOST_MEMORY / memory));
  programs.splice(room).forEach((program) => program.worker.terminate());
  await Promise.all(programs.slice(1).map((program) => program.ask({ ...plan, depths: opened.depths })));
  const sum = await scoreRecords();
  const { entries, answers } = sum;
  showSummary(sum, opened, calls);
  offer(sum.isWhole ? [{ bytes: header }, ...answers] : null, calls);
  /** @type {Index} */
  const index = { model: opened.model, chunk: 1, layout: opened.layout, calls: entries };
  // For other scripts, as tests and courses run them.
  document.dispatchEvent(new CustomEvent("scored", { detail: index }));
  ready(index);
}

/**
 * Finds the alleles that enough reads show: a file of calls, as `cnnfilter call --candidates` writes it.
 * @param {{reads: string[], reference: string|undefined, regions: string[]}} inputs @returns {Promise<Given>}
 */
async function findCalls(inputs) {
  const value = (/** @type {string} */ id) => Number(/** @type {HTMLInputElement} */ (byId(id)).value);
  const plan = {
    do: "find",
    ...inputs,
    min_reads: value("min-reads"),
    min_snp_share: value("min-snp-share") / 100,
    min_indel_share: value("min-indel-share") / 100,
    min_mapping_quality: value("min-mapq"),
    min_base_quality: value("min-base-quality"),
  };
  const begun = performance.now();
  const { result, bytes: header } = await programs[0].ask(plan);
  const count = /** @type {number} */ (result.tiles);
  const helpers = programs.slice(0, count);
  await Promise.all(helpers.slice(1).map((program) => program.ask(plan)));
  /** @type {Uint8Array[]} */
  const pieces = [];
  let [next, done, records] = [0, 0, 0];
  const work = async (/** @type {Program} */ program) => {
    while (next < count && records < MOST_RECORDS) {
      const tile = next++;
      const { bytes } = await program.ask({ do: "sweep", tile });
      pieces[tile] = bytes;
      for (const byte of bytes) records += byte === 10 ? 1 : 0;
      progress(`${counted(++done)} of ${counted(count)} stretches of the reference looked through, ${counted(records)} records found …`);
    }
  };
  await Promise.all(helpers.map(work));
  if (done < count) warn(`Only the first ${counted(done)} of ${counted(count)} stretches of the reference were looked through: the list takes ${counted(MOST_RECORDS)} records. Name a region to see others.`);
  findingTook = (performance.now() - begun) / 1000;
  const name = inputs.reads[0].replace(/\.(bam|cram)$/, ".candidates.vcf");
  return given(name, new Blob(/** @type {BlobPart[]} */ ([header, ...pieces])));
}
/** Seconds that candidates took. */
let findingTook = 0;

/** Scores the records again with weights of 8 bits. @param {Index} index @param {(share: number) => void} tell @returns {Promise<LiveEntry[]>} */
export async function scoreSmall(index, tell) {
  /** The records, each once. @type {Lines[]} */
  const pieces = [];
  for (const { lines } of /** @type {LiveEntry[]} */ (index.calls)) {
    const last = pieces.at(-1);
    if (last?.numbers.at(-1) === lines.numbers[0]) continue;
    if (last && last.numbers.length < RECORDS) {
      last.text.push(...lines.text);
      last.numbers.push(...lines.numbers);
    } else pieces.push({ text: [...lines.text], numbers: [...lines.numbers], read: 0 });
  }
  /** @type {LiveEntry[][]} */
  const found = [];
  let [next, done] = [0, 0];
  const work = async (/** @type {Program} */ program) => {
    while (next < pieces.length) {
      const place = next++;
      const { result } = await program.ask({ do: "score", lines: pieces[place], exact: false, small: true });
      found[place] = /** @type {Scored} */ (result).calls;
      tell(++done / pieces.length);
    }
  };
  await Promise.all(programs.map(work));
  return found.flat();
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

/**
 * @param {Awaited<ReturnType<typeof scoreRecords>>} sum @param {{model: string, samples: (string|null)[], depths: number[]}} opened
 * @param {string} calls
 */
function showSummary(sum, opened, calls) {
  const parts = [`${counted(sum.records)} records, ${counted(sum.count)} with a score`];
  for (const [reason, number] of sum.skipped) parts.push(`${counted(number)} without: ${reason}`);
  if (sum.judged[0] + sum.judged[1]) parts.push(`${counted(sum.judged[0])} pass, ${counted(sum.judged[1])} fail`);
  const depths = opened.depths.filter((depth) => depth > 0).map((depth) => `${depth.toFixed(1)}x`);
  if (depths.length) parts.push(`mean depth ${depths.join(", ")}`);
  if (findingTook) parts.push(`found in ${findingTook.toFixed(1)} s`);
  parts.push(`scored with ${opened.model} in ${sum.seconds.toFixed(1)} s`);
  byId("summary").textContent = `${[calls, ...[...chosen.keys()].filter(isReads), last(isReference)].join(", ")}: ${parts.join("; ")}.`;
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
    chosen.set(name, given(name, new Blob([/** @type {BlobPart} */ (bytes)])));
  }
  showChosen();
  run.isDemo = true;
  await score();
}

/** The files of what was dropped, those of folders too. @param {DataTransfer} data @returns {Promise<File[]>} */
async function filesOf(data) {
  // Entries are there only while the event is handled.
  const dropped = [...data.items].map((item) => item.webkitGetAsEntry?.());
  const plain = [...data.files];
  /** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
  const inside = async (entry) => {
    const folder = /** @type {FileSystemDirectoryEntry} */ (entry);
    const file = /** @type {FileSystemFileEntry} */ (entry);
    if (entry.isFile) return [await new Promise((resolve, reject) => file.file(resolve, reject))];
    const entries = await new Promise((resolve, reject) => folder.createReader().readEntries(resolve, reject));
    const files = await Promise.all(entries.filter((/** @type {FileSystemEntry} */ one) => one.isFile).map(inside));
    return files.flat();
  };
  const folders = dropped.filter((entry) => entry?.isDirectory);
  const found = await Promise.all(folders.map((entry) => inside(/** @type {FileSystemEntry} */ (entry))));
  // A folder stands among the files as one that cannot be read.
  const names = new Set(folders.map((entry) => entry?.name));
  return [...plain.filter((file) => !names.has(file.name)), ...found.flat()];
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
    /** By call and weights. @type {Map<string, Promise<Site>>} */
    this.kept = new Map();
  }

  /** @param {number} at @returns {Promise<Site>} */
  get(at) {
    const key = `${at} ${weights.small}`;
    const kept = this.kept.get(key);
    if (kept) return kept;
    const asked = this.ask(at);
    this.kept.set(key, asked);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value ?? "");
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
    return programs[at % programs.length].ask({ ...what, line: entry.lines, example: entry.example, small: weights.small });
  }

  /** @param {Uint8Array} bytes */
  decoded(bytes) {
    return decode(bytes, this.index.layout, this.signs.sign);
  }
}

for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#finding input"))) {
  const output = /** @type {HTMLOutputElement} */ (input.nextElementSibling);
  const show = () => (output.value = input.value + (input.dataset.unit ?? ""));
  input.addEventListener("input", show);
  show();
}
const picker = /** @type {HTMLInputElement} */ (byId("files"));
picker.addEventListener("change", () => {
  take(picker.files ?? []);
  picker.value = "";
});
byId("choose").addEventListener("click", () => picker.click());
byId("score").addEventListener("click", score);
// A page that `cnnfilter serve --remote` shows may ask servers.
if (document.documentElement.dataset.remote) {
  byId("remote").hidden = false;
  byId("privacy").textContent = "This page may read files from addresses that you type: whoever runs that server sees which parts of a file are asked for. Files of this machine are read here and are sent nowhere.";
}
byId("remote").addEventListener("submit", (event) => {
  event.preventDefault();
  takeAddress();
});
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
  if (byId("start").hidden || !event.dataTransfer) return;
  filesOf(event.dataTransfer).then(take, (error) => problem(String(error)));
});
showChosen();
// A link to a state of the demo.
if (location.hash.startsWith("#demo&")) takeDemo();
document.documentElement.dataset.open = "true";
// The program is compiled while the reader chooses files.
compiled().catch((error) => problem(`This browser cannot run the program: ${error}. Chromium, Edge, Firefox and Safari of 2023 or later can.`));
