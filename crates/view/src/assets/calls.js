// @ts-check
// The list of calls: filtered by a box, sorted by any column, drawn as far as it shows.
/** @typedef {import("./site.js").Entry} Entry */
/** @typedef {import("./marks.js").Marks} Marks */

/** Height of a line, as view.css has it. */
const LINE = 30;

/** @typedef {{name: string, key: (entry: Entry) => number|string, text: (entry: Entry) => string}} Column */

/** A number that is shown, or a dash. @param {number|null|undefined} value @param {number} digits */
export function shown(value, digits) {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(digits);
}

/** @param {string} allele @param {number} most */
export function short(allele, most) {
  return allele.length <= most ? allele : `${allele.slice(0, most - 1)}…`;
}

/** @param {Entry} entry */
export function fails(entry) {
  return entry.filter.split(";").some((name) => name !== "" && name !== "." && name !== "PASS");
}

/** @param {Entry} entry */
export function probability(entry) {
  return entry.probability ?? 1 / (1 + Math.exp(-entry.score));
}

/** @type {Column[]} */
export const COLUMNS = [
  { name: "locus", key: () => 0, text: (e) => `${e.contig}:${e.pos}` },
  { name: "alleles", key: (e) => e.kind + e.ref + e.alt, text: (e) => `${short(e.ref, 6)}>${short(e.alt, 6)}` },
  { name: "prob", key: probability, text: (e) => shown(probability(e), 3) },
  { name: "filter", key: (e) => e.filter, text: (e) => (e.filter === "." ? "–" : fails(e) ? "fails" : "pass") },
];

/**
 * True where an entry has all words of the filter box. A word is text that its line has, `fail`, `pass`,
 * `marked`, or a comparison: prob, score, qual, reads with < or >.
 * @param {Entry} entry @param {string} words @param {Marks} marks
 */
export function matches(entry, words, marks) {
  const mark = marks.get(entry);
  const line = [
    `${entry.contig}:${entry.pos}`, entry.id, entry.ref, entry.alt, entry.kind, entry.filter, entry.sample ?? "",
    entry.label ?? "", mark ? `${mark.mark} ${mark.note}` : "", ...entry.reasons.map((reason) => reason.code),
  ].join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => {
    if (!word) return true;
    const compared = /^(prob|score|qual|reads)([<>])(-?[0-9.]+)$/.exec(word);
    if (compared) {
      const value = { prob: probability(entry), score: entry.score, qual: entry.qual, reads: entry.reads }[compared[1]];
      if (value === null || value === undefined) return false;
      return compared[2] === "<" ? value < Number(compared[3]) : value > Number(compared[3]);
    }
    if (word === "fail" || word === "fails") return fails(entry);
    if (word === "pass") return entry.filter === "PASS";
    if (word === "marked") return Boolean(mark);
    return line.includes(word);
  });
}

export class CallList {
  /**
   * @param {Entry[]} entries @param {Marks} marks @param {HTMLElement} box
   * @param {(at: number) => void} choose
   */
  constructor(entries, marks, box, choose) {
    this.entries = entries;
    this.marks = marks;
    this.box = box;
    this.choose = choose;
    /** Indices of entries, as listed. @type {number[]} */
    this.order = entries.map((_, at) => at);
    this.column = 0;
    this.falling = false;
    this.words = "";
    this.current = 0;
    this.head = document.createElement("div");
    this.head.className = "line head";
    this.rows = document.createElement("div");
    this.rows.className = "rows";
    box.append(this.head, this.rows);
    COLUMNS.forEach((column, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = column.name;
      button.addEventListener("click", () => this.sort(at));
      this.head.append(button);
    });
    box.addEventListener("scroll", () => this.draw());
    this.rows.addEventListener("click", (event) => {
      const line = /** @type {HTMLElement} */ (event.target).closest("[data-at]");
      if (line instanceof HTMLElement) choose(Number(line.dataset.at));
    });
  }

  /** @param {number} column */
  sort(column) {
    this.falling = this.column === column && !this.falling;
    this.column = column;
    this.arrange();
  }

  /** @param {string} words */
  filter(words) {
    this.words = words;
    this.arrange();
  }

  arrange() {
    const { key } = COLUMNS[this.column];
    const keys = this.entries.map(key);
    const sign = this.falling ? -1 : 1;
    this.order = this.entries.map((_, at) => at).filter((at) => matches(this.entries[at], this.words, this.marks));
    this.order.sort((a, b) => sign * (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
    [...this.head.children].forEach((button, at) => {
      const mine = at === this.column;
      button.setAttribute("aria-pressed", String(mine));
      button.textContent = COLUMNS[at].name + (mine ? (this.falling ? " ▾" : " ▴") : "");
    });
    this.draw();
  }

  /** The entry some steps away in the list that passes. @param {number} steps @param {(entry: Entry) => boolean} [passes] */
  step(steps, passes = () => true) {
    const from = this.order.indexOf(this.current);
    for (let at = from + steps; at >= 0 && at < this.order.length; at += Math.sign(steps)) {
      if (passes(this.entries[this.order[at]])) return this.order[at];
    }
    return from < 0 && this.order.length ? this.order[0] : null;
  }

  /** @param {number} at */
  show(at) {
    this.current = at;
    const place = this.order.indexOf(at);
    if (place >= 0) {
      const { scrollTop, clientHeight } = this.box;
      const y = (place + 1) * LINE;
      if (y - LINE < scrollTop) this.box.scrollTop = Math.max(0, y - 2 * LINE);
      else if (y + LINE > scrollTop + clientHeight) this.box.scrollTop = y + LINE - clientHeight;
    }
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / LINE) - 4);
    const last = Math.min(this.order.length, first + Math.ceil(this.box.clientHeight / LINE) + 10);
    this.rows.style.height = `${this.order.length * LINE}px`;
    this.rows.replaceChildren(
      ...this.order.slice(first, last).map((at, offset) => this.line(at, first + offset)),
    );
  }

  /** @param {number} at @param {number} place */
  line(at, place) {
    const entry = this.entries[at];
    const line = document.createElement("div");
    line.className = "line";
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", String(at === this.current));
    line.dataset.at = String(at);
    line.style.top = `${place * LINE}px`;
    for (const column of COLUMNS) {
      const cell = document.createElement("span");
      cell.textContent = column.text(entry);
      if (column.name === "filter") cell.className = fails(entry) ? "fail" : "pass";
      line.append(cell);
    }
    const mark = this.marks.get(entry);
    if (mark) line.dataset.mark = mark.mark;
    return line;
  }
}
