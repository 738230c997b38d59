// @ts-check
// What a reader says of calls: real, false or unsure, with a note; kept by the browser, exported as a table.
/** @typedef {import("./site.js").Entry} Entry */
/** @typedef {{mark: "real"|"false"|"unsure", note: string}} Mark */

/** The key of a record: marks are about records, as labels are. @param {Entry} entry */
export function keyOf(entry) {
  return [entry.contig, entry.pos, entry.ref, entry.alts].join("\t");
}

/** A note as a field of a table. @param {string} text */
function asField(text) {
  return text.replace(/[\t\r\n]+/g, " ").trim();
}

export class Marks {
  /** @param {string} page names the page in the browser's store; empty to keep nothing there */
  constructor(page) {
    this.page = page;
    /** @type {Map<string, Mark>} */
    this.marks = new Map();
    try {
      const kept = page && localStorage.getItem(page);
      if (kept) this.marks = new Map(JSON.parse(kept));
    } catch {
      // A browser that keeps nothing: marks live as long as the page.
    }
  }

  /** @param {Entry} entry */
  get(entry) {
    return this.marks.get(keyOf(entry));
  }

  /** @param {Entry} entry @param {Mark["mark"]|null} mark @param {string} [note] */
  set(entry, mark, note) {
    const key = keyOf(entry);
    if (mark) this.marks.set(key, { mark, note: note ?? this.marks.get(key)?.note ?? "" });
    else this.marks.delete(key);
    try {
      if (this.page) localStorage.setItem(this.page, JSON.stringify([...this.marks]));
    } catch {
      // As above.
    }
  }

  /** The table that `tensors --labels` and `eval --labels` take. @param {Entry[]} entries */
  table(entries) {
    const labels = { real: "TP", false: "FP", unsure: "UNK" };
    const lines = ["chrom\tpos\tref\talt\tlabel\tnote"];
    const written = new Set();
    for (const entry of entries) {
      const key = keyOf(entry);
      const mark = this.marks.get(key);
      if (!mark || written.has(key)) continue;
      written.add(key);
      lines.push([key, labels[mark.mark], asField(mark.note)].join("\t"));
    }
    return lines.join("\n") + "\n";
  }
}
