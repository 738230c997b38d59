// @ts-check
// The switch between the network's own weights and those of 8 bits: the calls are scored with both, and both scores are
// shown.
import { scoreSmall, weights } from "./live.js";
import { choose, entries, index, list, part, state } from "../../crates/view/src/assets/page.js";
import { fails, probability, shown } from "../../crates/view/src/assets/calls.js";
/** @typedef {import("../../crates/view/src/assets/site.js").Entry} Entry */
/** @typedef {Pick<Entry, "logits"|"score"|"probability"|"filter">} Verdict */

const weighing = /** @type {HTMLSelectElement} */ (part("weights"));
const comparison = part("compared");
/** What each call gets with the network's own weights, and with those of 8 bits. @type {[Verdict, Verdict][]} */
let verdicts = [];

/** @param {Entry} entry @returns {Verdict} */
const verdictOf = ({ logits, score, probability, filter }) => ({ logits, score, probability, filter });

/** Scores with 8 bits where that was not done, and shows the calls so. */
async function weigh() {
  const small = weighing.value === "small";
  weighing.disabled = true;
  // A call that is changed in the sandbox is put back first.
  document.dispatchEvent(new Event("weigh"));
  try {
    if (small && !verdicts.length) {
      const made = await scoreSmall(index, (share) => (comparison.textContent = `Scored with 8 bits: ${Math.floor(share * 100)} %`));
      verdicts = entries.map((entry, at) => [verdictOf(entry), verdictOf(made[at])]);
    }
    weights.small = small;
    entries.forEach((entry, at) => Object.assign(entry, verdicts[at][Number(small)]));
    list.arrange();
    await choose(state.at);
  } catch (error) {
    comparison.textContent = error instanceof Error ? error.message : String(error);
  }
  weighing.disabled = false;
}

/** Says how far the two are apart, over all calls and for the one that is shown. */
function compare() {
  if (!verdicts.length) return;
  const asEntry = (/** @type {Verdict} */ verdict) => /** @type {Entry} */ (verdict);
  const shift = (/** @type {[Verdict, Verdict]} */ [whole, small]) => Math.abs(probability(asEntry(whole)) - probability(asEntry(small)));
  const most = verdicts.reduce((large, pair, at) => (shift(pair) > shift(verdicts[large]) ? at : large), 0);
  const others = verdicts.filter(([whole, small]) => fails(asEntry(whole)) !== fails(asEntry(small))).length;
  const { contig, pos } = entries[most];
  const [whole, small] = verdicts[state.at].map((verdict) => shown(probability(asEntry(verdict)), 5));
  comparison.textContent = `8 bits against 32: ${others} of ${verdicts.length} calls are decided otherwise; a probability moves by at most ${shift(verdicts[most]).toFixed(5)} (${contig}:${pos.toLocaleString("en")}). This call: ${whole} with 32, ${small} with 8.`;
}

weighing.addEventListener("change", weigh);
new MutationObserver(compare).observe(part("call"), { attributes: true, attributeFilter: ["data-shown"] });
