// Compares the figures of a .wasm with those of the native program, read from standard input.
//
//     cargo test --workspace --quiet --test wasm_native | node compare.mjs cnnfilter_wasm_check.wasm
//
// Both are printed. Vector instructions with a fused multiply-add round otherwise than WebAssembly's, so the last digits
// may differ.
import { readFileSync } from "node:fs";

const TOLERANCE = 1e-4; // relative to 1 + |value|

const bytes = readFileSync(process.argv[2]);
const module = await WebAssembly.compile(bytes);
// Random numbers would come from the host; nothing here asks for any.
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] = () => {
    throw new Error(`${from}.${name} was called`);
  };
}
const instance = await WebAssembly.instantiate(module, imports);
const { memory, figure_count, figure_value, text_address, text_length } = instance.exports;
const text = (index) =>
  new TextDecoder().decode(new Uint8Array(memory.buffer, text_address(index), text_length(index)));

const begun = performance.now();
const count = figure_count();
const time = performance.now() - begun;
if (count === 0) {
  console.error(`the .wasm made no figures: ${text(0)}`);
  process.exit(1);
}

const native = readFileSync(0, "utf8").trimEnd().split("\n").map((line) => line.split("\t"));
if (native.length !== count) {
  console.error(`the .wasm made ${count} figures, the native program ${native.length}`);
  process.exit(1);
}
let wrong = 0;
let largest = 0;
for (const [index, [name, written]] of native.entries()) {
  const expected = Number(written);
  const found = figure_value(index);
  const difference = Math.abs(found - expected) / (1 + Math.abs(expected));
  largest = Math.max(largest, difference);
  // Written so that NaN fails.
  const agrees = text(index) === name && difference <= TOLERANCE;
  wrong += agrees ? 0 : 1;
  console.log(`${name}: native ${expected}, wasm ${found}${agrees ? "" : `  DIFFERS (${text(index)})`}`);
}
console.log(
  `${count} figures, largest relative difference ${largest.toExponential(1)}; ` +
    `${(bytes.length / 1e6).toFixed(1)} MB, both models loaded and 4 calls scored in ${time.toFixed(0)} ms`,
);

// The network alone, one thread: the first rounds warm the engine's compiler up.
const { score_times } = instance.exports;
const rounds = [];
for (let round = 0; round < 6; round++) {
  const from = performance.now();
  if (Number.isNaN(score_times(200))) wrong += 1;
  rounds.push(200_000 / (performance.now() - from));
}
console.log(`${Math.max(...rounds).toFixed(0)} sites/s over 40 reads, the network alone, in one thread`);
process.exit(wrong ? 1 : 0);
