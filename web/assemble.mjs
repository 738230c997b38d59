// Puts the page together: one HTML file with the program, its scripts and the demo inside.
//
//     node web/assemble.mjs PROGRAM.wasm PAGE.html
//
// The same inputs give the same bytes. Prints the size of the page, plain and gzipped.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { deflateRawSync, gzipSync } from "node:zlib";

const [wasm, target] = process.argv.slice(2);
const root = new URL("../", import.meta.url);
const read = (path) => readFileSync(new URL(path, root));
const text = (path) => read(path).toString("utf8");
const packed = (bytes) => deflateRawSync(bytes, { level: 9 }).toString("base64");
const sha256 = (bytes, encoding) => createHash("sha256").update(bytes).digest(encoding);

/** Sections that only tools read: names, and what wasm-bindgen left. */
const UNNEEDED = /^(name|producers|target_features|__wasm_bindgen_unstable|\.debug.*)$/;

/** A module without the custom sections that nobody reads. */
function stripped(bytes) {
  const kept = [bytes.subarray(0, 8)];
  let at = 8;
  const number = () => {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    return value >>> 0;
  };
  while (at < bytes.length) {
    const begin = at;
    const id = bytes[at++];
    const length = number();
    const end = at + length;
    const name = id === 0 ? ((size) => bytes.subarray(at, at + size).toString("utf8"))(number()) : "";
    if (!UNNEEDED.test(name)) kept.push(bytes.subarray(begin, end));
    at = end;
  }
  return Buffer.concat(kept);
}

/** What the viewer's part of the page looks like: the program says it. */
function markup(bytes) {
  const module = new WebAssembly.Module(bytes);
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => {
      throw new Error(`${from}.${name} was called`);
    };
  }
  const program = new WebAssembly.Instance(module, imports).exports;
  const request = Buffer.from(JSON.stringify({ do: "markup" }));
  const place = program.page_reserve(request.length);
  new Uint8Array(program.memory.buffer, place, request.length).set(request);
  program.page_answer();
  const json = new Uint8Array(program.memory.buffer, program.page_json(), program.page_json_length());
  return JSON.parse(new TextDecoder().decode(json)).result;
}

/** Modules as one: without their imports and exports, as crates/view/src/page.rs does it. */
function joined(paths) {
  const lines = paths.flatMap((path) => text(path).split("\n"));
  return lines.filter((line) => !line.startsWith("import ")).map((line) => line.replace(/^export /, "")).join("\n");
}

const viewer = (name) => `crates/view/src/assets/${name}`;
const script = joined([
  viewer("site.js"), "web/page/live.js", ...["draw.js", "marks.js", "calls.js", "page.js"].map(viewer), "web/page/weights.js", "web/page/sandbox.js",
]);
const style = text(viewer("view.css")) + text("web/page/page.css");
const program = stripped(readFileSync(wasm));
const demo = ["calls.vcf", "reads.cram", "reads.cram.crai", "ref.fa", "ref.fa.fai"];
const data = [
  `<script type="text/plain" id="worker">${text("web/page/worker.js")}</script>`,
  `<script type="text/plain" id="program">${packed(program)}</script>`,
  ...demo.map((name, at) => `<script type="text/plain" id="demo-${at}" data-file="${name}">${packed(read(`tests/data/demo/${name}`))}</script>`),
];
const hash = (content) => `'sha256-${sha256(content, "base64")}'`;
const { main: plain, keys } = markup(program);
// The sandbox stands above the pileup.
const main = plain.replace('<div id="stage">', '<section id="sandbox" aria-label="Sandbox"></section>\n<div id="stage">');
const parts = {
  policy: `default-src 'none'; script-src ${hash(script)} 'wasm-unsafe-eval'; worker-src blob:; style-src ${hash(style)}; img-src data: blob:; base-uri 'none'; form-action 'none'`,
  style, main, keys, script,
  version: /^version = "(.*)"/m.exec(text("Cargo.toml"))[1],
  program: `${(program.length / 1e6).toFixed(1)} MB`,
  checksum: sha256(program, "hex"),
  data: data.join("\n"),
};
const page = text("web/page/page.html").replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
writeFileSync(target, page);
const size = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
console.log(`${target}: ${size(page.length)}, ${size(gzipSync(page, { level: 9 }).length)} gzipped; SHA-256 ${sha256(page, "hex")}`);
