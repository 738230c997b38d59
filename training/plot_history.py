#!/usr/bin/env python3
"""Draws a training run's history.tsv: losses above, PR-AUC below, over epochs.

usage: plot_history.py history.tsv [OUT.svg]     (default: history.svg beside the table)

Columns used: epoch, or step where there is no epoch; train_loss, validation_loss; every pr_auc_NAME; learning_rate. The picture has a
transparent background and colours that can be read on white and on black, its text stays text, and the same table gives the same bytes.
"""

import os
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import MaxNLocator

# Mid-tones: contrast of at least 3:1 against both white and #0d1117.
COLOURS = ["#3b82d0", "#d9662b", "#2f9e66", "#b35fc4", "#b58900"]
INK = "#7d8590"


def style(axes, ylabel):
    axes.set_ylabel(ylabel)
    axes.grid(True, color=INK, alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, labelcolor=INK, loc="best")


def main():
    if not 2 <= len(sys.argv) <= 3:
        raise SystemExit(__doc__)
    table = pd.read_csv(sys.argv[1], sep="\t")
    out = sys.argv[2] if len(sys.argv) == 3 else os.path.splitext(sys.argv[1])[0] + ".svg"
    # Several rows an epoch are drawn over their steps.
    along = "epoch" if "epoch" in table and table.epoch.is_unique else "step"

    plt.rcParams.update({
        "svg.hashsalt": "history", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11, "text.color": INK,
        "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    })
    figure, (losses, areas) = plt.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
    for colour, (column, name) in zip(COLOURS, (("train_loss", "training"), ("validation_loss", "validation"))):
        if column in table:
            shown = table[[along, column]].dropna()
            losses.plot(shown[along], shown[column], color=colour, marker=".", label=name)
    style(losses, "loss")
    if "learning_rate" in table:
        rate = losses.twinx()
        rate.plot(table[along], table.learning_rate, color=INK, linewidth=1, linestyle=":")
        rate.set_ylabel("learning rate (dotted)")
        rate.set_ylim(bottom=0)
        rate.spines["top"].set_visible(False)
    for colour, column in zip(COLOURS, (name for name in table if name.startswith("pr_auc_"))):
        shown = table[[along, column]].dropna()
        name = column.removeprefix("pr_auc_")
        if shown.empty:
            continue
        best = shown.loc[shown[column].idxmax()]
        name = name.upper() if name in ("snp", "indel") else name.replace("_", " ")
        areas.plot(shown[along], shown[column], color=colour, marker=".", label=f"{name}, best {best[column]:.4f} at {best[along]:g}")
    style(areas, "PR-AUC, validation")
    areas.set_xlabel(along)
    areas.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(out, transparent=True, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
