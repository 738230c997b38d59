// @ts-check
// Draws pileups and channels onto canvases. The only drawing of a pileup in the project's pages.
/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("./site.js").Sign} Sign */
/** @typedef {import("./site.js").Plane} Plane */
/** @typedef {import("./site.js").Layout} Layout */
/** @typedef {[number, number, number]} Rgb */
/**
 * @typedef {object} Theme
 * @property {boolean} dark
 * @property {Rgb} paper
 * @property {Rgb} ink
 * @property {Rgb} read
 * @property {Rgb} muted
 * @property {Record<string, Rgb>} base
 * @property {Rgb} insertion
 * @property {Rgb[]} sides
 * @property {Rgb} low
 * @property {Rgb} high
 * @property {Rgb} plus
 * @property {Rgb} minus
 */

/** Colours after Okabe and Ito, which colour-blind readers tell apart. @param {boolean} dark @returns {Theme} */
export function theme(dark) {
  return dark
    ? {
        dark, paper: [20, 24, 29], ink: [228, 232, 237], read: [74, 84, 96], muted: [122, 134, 147],
        base: { A: [47, 199, 154], C: [92, 178, 240], G: [240, 190, 70], T: [255, 128, 80], N: [160, 160, 160] },
        insertion: [214, 140, 230], sides: [[255, 214, 90], [110, 122, 136], [78, 66, 92], [78, 86, 96]],
        low: [28, 34, 42], high: [140, 205, 255], plus: [74, 168, 232], minus: [255, 138, 61],
      }
    : {
        dark, paper: [255, 255, 255], ink: [27, 31, 36], read: [206, 212, 219], muted: [112, 122, 134],
        base: { A: [0, 140, 102], C: [0, 114, 178], G: [214, 140, 0], T: [205, 78, 0], N: [110, 110, 110] },
        insertion: [142, 68, 173], sides: [[190, 130, 0], [150, 160, 172], [205, 196, 216], [205, 210, 216]],
        low: [246, 248, 250], high: [11, 60, 110], plus: [0, 114, 178], minus: [213, 94, 0],
      };
}

/** @param {Rgb} colour @param {number} [opacity] */
export function css([r, g, b], opacity = 1) {
  return opacity === 1 ? `rgb(${r},${g},${b})` : `rgba(${r},${g},${b},${opacity})`;
}

/** A colour between two. @param {Rgb} from @param {Rgb} to @param {number} share @returns {Rgb} */
export function between(from, to, share) {
  const part = Math.min(1, Math.max(0, share));
  const mixed = (/** @type {number} */ at) => Math.round(from[at] + (to[at] - from[at]) * part);
  return [mixed(0), mixed(1), mixed(2)];
}

/** The colour of a channel's value. @param {Plane} plane @param {number} value @param {Theme} colours */
export function valueColour(plane, value, colours) {
  return between(colours.low, colours.high, (value - plane.low) / (plane.high - plane.low || 1));
}

/** Gives a canvas a size in CSS pixels. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function sized(canvas, width, height) {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** Where the parts of a pileup lie. */
export class Geometry {
  /** @param {Site} site @param {number} width @param {boolean} small @param {Layout} layout */
  constructor(site, width, small, layout) {
    this.gutter = small ? 0 : width < 500 ? 30 : 58;
    this.cell = Math.max(small ? 1 : 2, Math.min(15, Math.floor((width - this.gutter - 4) / site.columns)));
    this.line = small ? Math.max(1, this.cell) : Math.max(7, Math.min(13, this.cell + 2));
    this.haplotype = small ? 2 : Math.max(11, this.line + 2);
    this.heads = layout.has_alternate ? 2 : 1;
    this.axis = small ? 0 : 18;
    this.top = this.axis + this.heads * this.haplotype + (small ? 1 : 6);
    this.width = this.gutter + site.columns * this.cell + 2;
    this.height = this.top + Math.max(site.rows, small ? 4 : 2) * this.line + 2;
    this.site = site;
  }

  /** The row and column below a point; row -1 and -2 are ALT and REF. @param {number} x @param {number} y */
  at(x, y) {
    const column = Math.floor((x - this.gutter) / this.cell);
    if (column >= this.site.columns) return null;
    let row = Math.floor((y - this.top) / this.line);
    if (row < 0) row = y < this.axis ? -9 : Math.floor((y - this.axis) / this.haplotype) - this.heads;
    return row >= this.site.rows || row < -this.heads ? null : { row, column: column < 0 ? -1 : column };
  }
}

/**
 * @typedef {object} Look
 * @property {Theme} colours
 * @property {Sign[]} sign
 * @property {Layout} layout
 * @property {boolean} [small] a tile, without letters and gutter
 * @property {boolean} [why] cells by their contribution
 * @property {number|null} [pinned] a row that stands out
 */

/** Draws the reads as rows below REF and ALT. @param {HTMLCanvasElement} canvas @param {Site} site @param {number} width @param {Look} look */
export function drawPileup(canvas, site, width, look) {
  const g = new Geometry(site, width, Boolean(look.small), look.layout);
  const context = sized(canvas, g.width, g.height);
  const { colours } = look;
  context.fillStyle = css(colours.paper);
  context.fillRect(0, 0, g.width, g.height);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `600 ${Math.max(8, Math.min(11, g.cell - 1))}px ui-monospace, Menlo, Consolas, monospace`;
  if (!look.small) drawAxis(context, g, look);
  drawHaplotypes(context, g, look);
  for (let row = 0; row < site.rows; row++) drawRow(context, g, row, look);
  if (site.rows === 0 && !look.small) {
    context.fillStyle = css(colours.muted);
    context.textAlign = "left";
    context.font = "12px system-ui, sans-serif";
    const reads = look.layout.read.length > 0;
    context.fillText(reads ? "no read lies over this call" : "this network reads no reads", g.gutter + 6, g.top + g.line);
  }
  // The call's own columns.
  const event = g.gutter + look.layout.event_column * g.cell;
  context.strokeStyle = css(colours.ink, look.small ? 0.6 : 0.45);
  context.lineWidth = 1;
  context.setLineDash(look.small ? [] : [3, 3]);
  context.beginPath();
  context.moveTo(event - 0.5, g.axis);
  context.lineTo(event - 0.5, g.height);
  context.stroke();
  context.setLineDash([]);
  return g;
}

/** @param {CanvasRenderingContext2D} context @param {Geometry} g @param {Look} look */
function drawAxis(context, g, look) {
  context.save();
  context.fillStyle = css(look.colours.muted);
  context.strokeStyle = css(look.colours.muted, 0.6);
  context.font = "10px system-ui, sans-serif";
  let last = -999;
  g.site.positions.forEach((position, column) => {
    if (position === null || position % 10 !== 0) return;
    const x = g.gutter + (column + 0.5) * g.cell;
    context.beginPath();
    context.moveTo(x, 13);
    context.lineTo(x, 17);
    context.stroke();
    if (x - last < 74 || x + 32 > g.width || x < 32) return;
    context.fillText(position.toLocaleString("en"), x, 6);
    last = x;
  });
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Geometry} g @param {Look} look */
function drawHaplotypes(context, g, look) {
  const { site } = g;
  const lines = look.layout.has_alternate ? [site.reference, site.alternate] : [site.reference];
  lines.forEach((codes, line) => {
    const y = g.axis + line * g.haplotype;
    for (let column = 0; column < site.columns; column++) {
      const sign = look.sign[codes[column]];
      const x = g.gutter + column * g.cell;
      const differs = line === 1 && codes[column] !== site.reference[column];
      if (sign.sort === "base") {
        const colour = look.colours.base[sign.text] ?? look.colours.base.N;
        context.fillStyle = css(colour, line === 0 || differs ? 1 : 0.55);
        context.fillRect(x, y, g.cell - (g.cell > 4 ? 1 : 0), g.haplotype - (look.small ? 0 : 1));
        if (!look.small && g.cell >= 8) {
          context.fillStyle = css(look.colours.paper);
          context.fillText(sign.text, x + g.cell / 2 - 0.5, y + g.haplotype / 2);
        }
      } else if (sign.sort === "gap") {
        context.fillStyle = css(look.colours.ink);
        context.fillRect(x, y + g.haplotype / 2 - 1, g.cell, 2);
      } else if (sign.sort === "pad") {
        context.fillStyle = css(look.colours.insertion, 0.35);
        context.fillRect(x, y + g.haplotype / 2, g.cell, 1);
      }
    }
    if (!look.small) {
      context.fillStyle = css(look.colours.muted);
      context.textAlign = "right";
      context.fillText(line === 0 ? "REF" : "ALT", g.gutter - 5, y + g.haplotype / 2);
      context.textAlign = "center";
    }
  });
}

/** @param {Layout} layout @param {Site} site @param {number} row @param {string} name */
export function numberOf(layout, site, row, name) {
  const at = layout.read.findIndex((one) => one.name === name);
  return at < 0 ? null : site.numbers[at * site.rows + row];
}

/** MAPQ of a read. @param {Layout} layout @param {Site} site @param {number} row */
export function mappingQuality(layout, site, row) {
  const value = numberOf(layout, site, row, "mapping_quality");
  return value === null ? null : Math.round(value * 60);
}

/** True on the reverse strand. @param {Layout} layout @param {Site} site @param {number} row */
export function isReverse(layout, site, row) {
  return (numberOf(layout, site, row, "reverse") ?? numberOf(layout, site, row, "flag_bit_4") ?? 0) > 0.5;
}

/** The largest size among numbers, 0 for none. @param {Float32Array} values */
export function largest(values) {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
}

/** @param {CanvasRenderingContext2D} context @param {Geometry} g @param {number} row @param {Look} look */
function drawRow(context, g, row, look) {
  const { site } = g;
  const { colours, layout } = look;
  const y = g.top + row * g.line;
  const height = g.line - (g.line > 3 ? 1 : 0);
  if (look.pinned === row) {
    context.fillStyle = css(colours.sides[0], 0.35);
    context.fillRect(0, y - 1, g.width, g.line + 1);
  }
  if (g.gutter) drawGutter(context, g, row, look);
  const mapq = mappingQuality(layout, site, row);
  for (let column = 0; column < site.columns; column++) {
    const at = row * site.columns + column;
    const sign = look.sign[site.symbols[at]];
    if (sign.sort === "empty") continue;
    const x = g.gutter + column * g.cell;
    if (look.why) {
      const value = site.whyCells ? site.whyCells[at] / 7 : 0;
      context.fillStyle = css(between(colours.read, value < 0 ? colours.minus : colours.plus, Math.sqrt(Math.abs(value))));
      context.fillRect(x, y, g.cell, height);
      continue;
    }
    const expected = look.sign[site.reference[column]];
    const opacity = 0.25 + 0.75 * Math.min(1, site.qualities[at] / 35);
    if (sign.sort === "gap") {
      context.fillStyle = css(colours.ink);
      context.fillRect(x, y + height / 2 - (g.cell > 4 ? 1 : 0.5), g.cell, g.cell > 4 ? 2 : 1);
    } else if (sign.sort === "pad") {
      context.fillStyle = css(colours.insertion, 0.3);
      context.fillRect(x, y + height / 2, g.cell, 1);
    } else {
      const isInserted = expected.sort === "pad" || expected.sort === "gap";
      const differs = sign.base !== expected.base;
      const letter = sign.text.toUpperCase();
      const colour = differs ? colours.base[letter] ?? colours.base.N : colours.read;
      context.fillStyle = css(colour, differs ? opacity : opacity * (mapq === 0 ? 0.4 : 0.85));
      context.fillRect(x, y, g.cell, height);
      if (sign.clipped && g.cell > 3) {
        context.fillStyle = css(colours.paper, 0.55);
        context.fillRect(x, y, g.cell, Math.max(1, height / 2 - 1));
      }
      if (isInserted && g.cell > 3) {
        context.fillStyle = css(colours.insertion);
        context.fillRect(x, y, g.cell, 2);
      }
      if (differs && g.cell >= 8) {
        context.fillStyle = css(colours.paper);
        context.fillText(letter, x + g.cell / 2, y + height / 2 + 0.5);
      }
    }
  }
}

/** Side, strand and mapping quality. @param {CanvasRenderingContext2D} context @param {Geometry} g @param {number} row @param {Look} look */
function drawGutter(context, g, row, look) {
  const { site } = g;
  const y = g.top + row * g.line;
  const height = g.line - 1;
  context.fillStyle = css(look.colours.sides[site.sides[row]] ?? look.colours.read);
  context.fillRect(0, y, 5, g.line);
  const mapq = mappingQuality(look.layout, site, row);
  const room = g.gutter - 22;
  if (mapq !== null && room > 8) {
    context.fillStyle = css(look.colours.read, 0.5);
    context.fillRect(8, y + height / 2 - 2, room, 4);
    context.fillStyle = css(mapq < 20 ? look.colours.minus : look.colours.muted);
    context.fillRect(8, y + height / 2 - 2, (room * Math.min(60, mapq)) / 60, 4);
  }
  const x = g.gutter - 10;
  const middle = y + height / 2;
  const reverse = isReverse(look.layout, site, row);
  context.fillStyle = css(look.colours.muted);
  context.beginPath();
  context.moveTo(x + (reverse ? 5 : 0), middle - 3.5);
  context.lineTo(x + (reverse ? 5 : 0), middle + 3.5);
  context.lineTo(x + (reverse ? 0 : 5), middle);
  context.fill();
}

/** Draws a channel, each value as a block. @param {HTMLCanvasElement} canvas @param {Plane} plane @param {number} width @param {Theme} colours */
export function drawPlane(canvas, plane, width, colours) {
  const cell = Math.max(1, Math.floor(width / plane.columns));
  const line = plane.rows === 1 ? 12 : Math.max(2, Math.min(cell, 10));
  canvas.width = plane.columns * cell;
  canvas.height = plane.rows * line;
  canvas.style.width = `${canvas.width}px`;
  canvas.style.height = `${canvas.height}px`;
  canvas.dataset.cell = String(cell);
  canvas.dataset.line = String(line);
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(canvas.width, canvas.height);
  for (let row = 0; row < plane.rows; row++) {
    for (let column = 0; column < plane.columns; column++) {
      const [r, g, b] = valueColour(plane, plane.values[row * plane.columns + column], colours);
      for (let y = row * line; y < (row + 1) * line; y++) {
        for (let x = column * cell; x < (column + 1) * cell; x++) {
          image.data.set([r, g, b, 255], (y * canvas.width + x) * 4);
        }
      }
    }
  }
  context.putImageData(image, 0, 0);
}
