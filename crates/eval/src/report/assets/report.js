"use strict";
// Draws the charts of an evaluation page from the JSON inside it.
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  root.classList.add("scripted");
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [14, 4], [1, 4], [6, 2, 1, 2, 1, 2]];
  const hidden = new Set();
  let charts = [];

  const fill = (select, values, labels) => {
    select.replaceChildren(...values.map((value, i) => new Option(labels ? labels[i] : value, value)));
  };
  const fixed = (value, digits = 4) => (value == null ? "–" : value.toFixed(digits));
  const cellsOf = (kind, stratum) => data.cells.filter((c) => c.kind === kind && c.stratum === stratum);
  const unique = (values) => [...new Set(values)];

  const kinds = unique(data.cells.map((c) => c.kind));
  fill(byId("kind"), kinds);
  const withCurves = kinds.find((k) => cellsOf(k, "all").some((c) => c.curves));
  if (withCurves) byId("kind").value = withCurves;

  // Values of a curve [x, y, threshold] at every x of `xs`. `back`: steps that belong to the point at their
  // right end (precision by recall); otherwise straight lines from (0, 0), as tied calls move together (ROC).
  const sample = (curve, xs, back) => {
    const ys = new Array(xs.length).fill(null), at = new Array(xs.length).fill(null);
    let i = 0;
    xs.forEach((x, k) => {
      if (back) while (i < curve.length && curve[i][0] < x) i++;
      else while (i + 1 < curve.length && curve[i + 1][0] <= x) i++;
      if (back && i < curve.length) { ys[k] = curve[i][1]; at[k] = curve[i]; }
      if (!back) {
        const [x0, y0] = i < curve.length && curve[i][0] <= x ? curve[i] : [0, 0];
        const next = curve[curve[i] && curve[i][0] <= x ? i + 1 : i];
        ys[k] = next && next[0] > x0 ? y0 + (next[1] - y0) * (x - x0) / (next[0] - x0) : y0;
        at[k] = next && x > x0 ? next : curve[i];
      }
    });
    return { ys, at };
  };

  const axis = (label) => ({
    stroke: colour("--muted"), label, labelSize: 22, labelFont: "12px system-ui, sans-serif", font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 },
  });
  const swatch = (k) =>
    `<svg viewBox="0 0 26 8" aria-hidden="true"><line x1="0" y1="4" x2="26" y2="4" stroke="var(--c${k % 8})" ` +
    `stroke-width="3" stroke-dasharray="${DASHES[k % 8].join(" ")}"/></svg>`;
  const text = (value) => {
    const span = document.createElement("span");
    span.textContent = value;
    return span.innerHTML;
  };

  // Width of the box and a height in proportion, within what fits a screen.
  const sizeOf = (box, ratio, least) => {
    // On paper the width of the window says nothing: two charts, or three small ones, fit a page of A4 or Letter.
    const width = root.classList.contains("printing")
      ? (box.closest(".small") ? 205 : 320)
      : Math.max(220, Math.floor(box.clientWidth));
    return { width, height: Math.round(Math.min(Math.max(width * ratio, least), 460)) };
  };
  const draw = (box, ratio, least, opts, columns) => {
    const plot = new uPlot({ ...opts, ...sizeOf(box, ratio, least), legend: { show: false } }, columns, box);
    charts.push({ plot, box, ratio, least });
    return plot;
  };

  const curveChart = (id, cells, pick, back, labels, range, restAt) => {
    const box = byId(id), read = byId(id + "-read");
    box.replaceChildren();
    read.replaceChildren();
    const shown = cells.filter((c) => c.curves && !hidden.has(c.score));
    if (!shown.length) {
      box.textContent = cells.length && cells[0].reason ? `Undefined: ${cells[0].reason}` : "Nothing to draw.";
      return;
    }
    const xs = unique([0, 1, ...shown.flatMap((c) => pick(c.curves).map((p) => p[0]))]).sort((a, b) => a - b);
    const sampled = shown.map((c) => sample(pick(c.curves), xs, back));
    const paths = back ? uPlot.paths.stepped({ align: -1 }) : uPlot.paths.linear();
    const series = shown.map((c) => {
      const k = data.scores.indexOf(c.score);
      return { label: c.score, stroke: colour(`--c${k % 8}`), width: 2, dash: DASHES[k % 8], paths, points: { show: false } };
    });
    const rest = xs.findIndex((x) => x >= restAt);
    const show = (u) => {
      const k = u.cursor.idx ?? rest;
      const rows = shown.map((c, i) => {
        const point = sampled[i].at[k];
        const threshold = point ? (point[2] == null ? "all calls" : `≥ ${point[2]}`) : "–";
        return `<tr><th>${swatch2(c.score)} ${text(c.score)}</th><td>${labels[1]} ${fixed(sampled[i].ys[k])}</td>` +
          `<td>${text(threshold)}</td></tr>`;
      });
      read.innerHTML = `<table><tr><th colspan="3">${labels[0]} ${fixed(xs[k])}</th></tr>${rows.join("")}</table>`;
    };
    // The first few calls of a ranking swing widely: they do not set the scale.
    const least = Math.min(...sampled.flatMap((s) => s.ys.filter((y, k) => y != null && xs[k] >= 0.05)));
    const plot = draw(box, 0.72, 260, {
      scales: { x: { time: false, range: (u, a, b) => (a === 0 && b === 1 ? [0, 1] : [a, b]) }, y: { range: range(least) } },
      axes: [axis(labels[0]), { ...axis(labels[1]), size: 58 }],
      series: [{ label: labels[0] }, ...series],
      cursor: { drag: { x: true, y: false }, points: { size: 7 } },
      hooks: { setCursor: [show] },
    }, [xs, ...sampled.map((s) => s.ys)]);
    show(plot);
  };
  const swatch2 = (score) => swatch(data.scores.indexOf(score));

  const drawLegend = (cells) => {
    byId("legend").replaceChildren(...cells.map((c) => {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = `${swatch2(c.score)}${text(c.score)} <small>${c.pr_auc == null ? "undefined" : fixed(c.pr_auc)}</small>`;
      button.disabled = !c.curves;
      button.title = c.reason || `PR-AUC ${fixed(c.pr_auc)}, ROC-AUC ${fixed(c.roc_auc)}`;
      button.setAttribute("aria-pressed", String(!hidden.has(c.score)));
      button.addEventListener("click", () => {
        if (!hidden.delete(c.score)) hidden.add(c.score);
        drawAll();
      });
      return button;
    }));
  };

  const drawCalibration = (cells) => {
    const shown = cells.filter((c) => c.calibration && !hidden.has(c.score));
    byId("calibration").hidden = !data.cells.some((c) => c.calibration);
    const box = byId("cal"), read = byId("cal-read");
    box.replaceChildren();
    read.replaceChildren();
    byId("calibration-note").textContent = shown.length
      ? shown.map((c) => `${c.score}: expected calibration error ${fixed(c.calibration.expected_calibration_error)}, ` +
        `Brier score ${fixed(c.calibration.brier)}, ${c.calibration.n} calls.`).join(" ") +
        " Bars: 95 % binomial intervals. The dashed line is perfect calibration."
      : "Undefined for the calls chosen above.";
    if (!shown.length) return;
    const columns = [[0, 1], ...shown.map((c) => c.calibration.bins.map((b) => b.mean_probability))];
    const xs = unique(columns.flat()).sort((a, b) => a - b);
    const bins = shown.map((c) => new Map(c.calibration.bins.map((b) => [b.mean_probability, b])));
    const bars = (u) => {
      const { ctx } = u;
      ctx.save();
      shown.forEach((c, i) => {
        ctx.strokeStyle = colour(`--c${data.scores.indexOf(c.score) % 8}`);
        ctx.lineWidth = devicePixelRatio;
        for (const b of c.calibration.bins) {
          const x = u.valToPos(b.mean_probability, "x", true);
          ctx.beginPath();
          ctx.moveTo(x, u.valToPos(b.interval.low, "y", true));
          ctx.lineTo(x, u.valToPos(b.interval.high, "y", true));
          ctx.stroke();
        }
      });
      ctx.restore();
    };
    draw(box, 0.72, 260, {
      scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] } },
      axes: [axis("mean probability"), { ...axis("share of true calls"), size: 58 }],
      series: [{}, { stroke: colour("--muted"), dash: [4, 4], width: 1, spanGaps: true, points: { show: false } },
        ...shown.map((c) => {
          const k = data.scores.indexOf(c.score);
          return { stroke: colour(`--c${k % 8}`), width: 2, dash: DASHES[k % 8], spanGaps: true,
            points: { show: true, size: 7, fill: colour(`--c${k % 8}`) } };
        })],
      cursor: { drag: { x: false, y: false } },
      hooks: {
        draw: [bars],
        setCursor: [(u) => {
          const k = u.cursor.idx;
          read.textContent = k == null ? "" : shown.map((c, i) => {
            const b = bins[i].get(xs[k]);
            return b ? `${c.score}: ${b.n_true} of ${b.n} true = ${fixed(b.observed)} ` +
              `[${fixed(b.interval.low)}, ${fixed(b.interval.high)}], mean probability ${fixed(b.mean_probability)}` : "";
          }).filter(Boolean).join("; ");
        }],
      },
    }, [xs, xs.map((x) => (x === 0 || x === 1 ? x : null)), ...bins.map((m) => xs.map((x) => m.get(x)?.observed ?? null))]);
  };

  const drawHistograms = (kind) => {
    const host = byId("hist");
    host.replaceChildren();
    for (const { score, histogram, reason } of data.histograms.filter((h) => h.kind === kind)) {
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      const box = document.createElement("div");
      const read = document.createElement("div");
      box.className = "chart";
      read.className = "read";
      caption.textContent = score;
      figure.append(caption, box, read);
      host.append(figure);
      if (!histogram) {
        box.textContent = `Undefined: ${reason}`;
        continue;
      }
      const { low, high, n_true, n_false, missing } = histogram;
      const n = n_true.length, width = (high - low) / n || 1;
      const total = (counts, extra) => counts.reduce((a, b) => a + b, extra) || 1;
      const sumTrue = total(n_true, missing[0]), sumFalse = total(n_false, missing[1]);
      // One more edge than bins: the last step needs an end.
      const xs = Array.from({ length: n + 1 }, (_, i) => low + i * width);
      const share = (counts, sum) => [...counts.map((c) => c / sum), counts[n - 1] / sum];
      const paths = uPlot.paths.stepped({ align: 1 });
      const lost = missing[0] + missing[1];
      const idle = lost ? `missing from ${missing[0]} true and ${missing[1]} false calls` : "";
      read.textContent = idle;
      const line = (name) => ({ stroke: colour(name), fill: `${colour(name)}38`, width: 1.5, paths,
        points: { show: false } });
      draw(box, 0.55, 170, {
        scales: { x: { time: false, range: [low, low + n * width] }, y: { range: (u, a, b) => [0, Math.max(b, 0.01) * 1.05] } },
        axes: [{ ...axis(), size: 30 }, { ...axis(), size: 52, values: (u, vs) => vs.map((v) => `${+(v * 100).toPrecision(3)} %`) }],
        series: [{}, line("--true"), line("--false")],
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        hooks: {
          setCursor: [(u) => {
            if (u.cursor.left < 0) { read.textContent = idle; return; }
            const k = Math.max(0, Math.min(n - 1, Math.floor((u.posToVal(u.cursor.left, "x") - low) / width)));
            read.textContent = `${(low + k * width).toPrecision(4)} to ${(low + (k + 1) * width).toPrecision(4)}: ` +
              `${n_true[k]} true, ${n_false[k]} false`;
          }],
        },
      }, [xs, share(n_true, sumTrue), share(n_false, sumFalse)]);
    }
  };

  const showTables = (kind) => {
    const metric = byId("metric").value;
    for (const box of document.querySelectorAll(".strata")) {
      box.hidden = box.dataset.metric !== metric || box.dataset.kind !== kind;
    }
  };

  const drawAll = () => {
    for (const { plot } of charts) plot.destroy();
    charts = [];
    const kind = byId("kind").value, stratum = byId("stratum").value;
    const cells = cellsOf(kind, stratum);
    const full = byId("full-axes").checked;
    drawLegend(cells);
    if (cells.length) {
      const { n_true, n_false } = cells[0];
      const share = n_true + n_false ? fixed(n_true / (n_true + n_false)) : "undefined";
      byId("counts").textContent = `${kind}, ${stratum}: ${n_true} true, ${n_false} false, prevalence ${share}`;
    }
    const near = (least) => (full ? [0, 1] : [Math.max(0, least - (1 - least) * 0.08), Math.min(1 + (1 - least) * 0.03, 1.02)]);
    curveChart("pr", cells, (c) => c.pr, true, ["recall", "precision"], near, 0.95);
    curveChart("roc", cells, (c) => c.roc, false, ["false positive rate", "true positive rate"], () => [0, full ? 1 : 1.02], 0.1);
    drawCalibration(cells);
    drawHistograms(kind);
    showTables(kind);
  };

  const chooseKind = () => {
    const kind = byId("kind").value, before = byId("stratum").value;
    const strata = unique(data.cells.filter((c) => c.kind === kind).map((c) => c.stratum));
    fill(byId("stratum"), strata);
    if (strata.includes(before)) byId("stratum").value = before;
    drawAll();
  };

  const metricNames = new Map();
  for (const box of document.querySelectorAll(".strata")) {
    metricNames.set(box.dataset.metric, box.querySelector("caption").lastChild.textContent.trim());
  }
  fill(byId("metric"), [...metricNames.keys()], [...metricNames.values()]);

  // Selects above a table that hide the rows of other scores, kinds or sorts; the third of a key tells whether it may be left open.
  const filterRows = (hostId, keys) => {
    const host = byId(hostId);
    if (!host) return;
    const rows = [...host.closest("section").querySelectorAll("tbody tr")];
    const selects = keys.map(([key, label, all]) => {
      const select = document.createElement("select");
      const values = unique(rows.map((r) => r.dataset[key]));
      fill(select, all ? ["", ...values] : values, all ? ["all", ...values] : values);
      const wrap = document.createElement("label");
      wrap.append(`${label} `, select);
      host.append(wrap);
      return [key, select];
    });
    const apply = () => {
      for (const row of rows) row.hidden = selects.some(([key, s]) => s.value && row.dataset[key] !== s.value);
    };
    for (const [, select] of selects) select.addEventListener("change", apply);
    apply();
  };
  filterRows("worst-controls", [["score", "score", false], ["kind", "kind", true], ["sort", "wrong as", true]]);
  filterRows("no-truth-controls", [["score", "score", false], ["kind", "kind", true]]);

  byId("kind").addEventListener("change", chooseKind);
  byId("stratum").addEventListener("change", drawAll);
  byId("full-axes").addEventListener("change", drawAll);
  byId("metric").addEventListener("change", () => showTables(byId("kind").value));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", () => { root.classList.add("printing"); drawAll(); });
  addEventListener("afterprint", () => { root.classList.remove("printing"); drawAll(); });
  // The first report comes at once and finds nothing changed.
  let width = document.body.clientWidth;
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    for (const { plot, box, ratio, least } of charts) plot.setSize(sizeOf(box, ratio, least));
  })).observe(document.body);
  chooseKind();
})();
