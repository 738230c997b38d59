#!/usr/bin/env python3
"""How well annotations alone tell real calls from false ones: the line that a network has to beat.

usage: baselines.py EXAMPLES.tsv ... [--out scores.tsv] [--train-sets REGEX] [--by set|set,caller] [--seed N]

EXAMPLES.tsv has one line an allele: set, split (train, validation, test), contig, pos, ref, alt, label (1 real, 0 false), type (SNP,
INDEL), optionally caller, then numbers, empty where missing. scripts/annotations.py writes it; `cnnfilter tensors --table` too, where split
and caller are read off the set's name, SET.CALLER.SPLIT. SNP and INDEL get models of their own, fitted to the alleles of split train:

  logistic   logistic regression on quantile-scaled annotations, medians and a bit for missing ones
  trees      scikit-learn's HistGradientBoostingClassifier, missing values as they are
  trees_all  the same on all numbers of `cnnfilter tensors`: annotations (QUAL, INFO/..., FORMAT/..., GT/..., AD/..., PL/...), the
             allele's shape, what its reads say and what surrounds it
  NAME       one annotation as it stands, for QUAL, QD, VQSLOD, CNN_1D, CNN_2D (missing: worst)

Scores that other programs gave the calls (VQSLOD, CNN_1D, CNN_2D) are compared with, not trained on. Printed: model, split, set,
type, real, false, prevalence, pr_auc (average precision at natural prevalence), roc_auc. Set `*` is all sets of a split together.
"""

import argparse
import re
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

KEYS = ["set", "split", "caller", "contig", "pos", "ref", "alt", "label", "genotype_right", "type"]
SPLITS = ["train", "validation", "test"]
SINGLE = ["QUAL", "QD", "VQSLOD", "CNN_1D", "CNN_2D"]
SCORES = ["VQSLOD", "CNN_1D", "CNN_2D", "CNN_AS", "CNN_PROB"]


def models(seed):
    """(name, unfitted classifier)."""
    return [
        ("logistic", make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True), QuantileTransformer(output_distribution="normal", n_quantiles=200, random_state=seed),
            StandardScaler(), LogisticRegression(max_iter=1000))),
        ("trees", HistGradientBoostingClassifier(
            max_iter=300, learning_rate=0.05, max_leaf_nodes=31, min_samples_leaf=20, l2_regularization=1.0, early_stopping=False,
            random_state=seed)),
    ]


def measured(model, table, scores, by):
    """Rows of the report: each group of each split, and each split as a whole."""
    rows = []
    table = table[["split", "type", "label", *by]].assign(score=scores)
    for split, part in table.groupby("split"):
        groups = [("*", part)] + [("/".join(map(str, np.atleast_1d(name))), group) for name, group in part.groupby(by)]
        for name, group in groups:
            real = int(group.label.sum())
            both = 0 < real < len(group)
            rows.append({
                "model": model, "split": split, "set": name, "type": group.type.iloc[0], "real": real, "false": len(group) - real,
                "prevalence": real / len(group),
                "pr_auc": average_precision_score(group.label, group.score) if both else np.nan,
                "roc_auc": roc_auc_score(group.label, group.score) if both else np.nan,
            })
    return rows


def read(path):
    """One table of examples, with split and caller."""
    table = pd.read_csv(path, sep="\t", dtype={"contig": str, "ref": str, "alt": str, "set": str}, keep_default_na=False, na_values=[""])
    if "split" not in table and "set" in table:
        parts = table.set.str.rsplit(".", n=2, expand=True)
        if parts.shape[1] != 3 or not parts[2].isin(SPLITS).all():
            raise SystemExit(f"{path}: no column split, and the sets are not named SET.CALLER.SPLIT")
        table["caller"], table["split"] = parts[1], parts[2]
    missing = [name for name in KEYS if name not in table and name not in ("caller", "genotype_right")]
    if missing:
        raise SystemExit(f"{path}: columns missing: {', '.join(missing)}")
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="+")
    parser.add_argument("--out")
    parser.add_argument("--train-sets", default="", help="regular expression of the sets trained on (default all of split train)")
    parser.add_argument("--by", default="set", help="columns to report by, comma-separated (default set)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    table = pd.concat([read(path) for path in args.examples], ignore_index=True).copy()
    features = [name for name in table if name not in KEYS and name not in SCORES]
    text = [name for name in features if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise SystemExit(f"columns that are not numbers: {', '.join(text)}")
    annotations = [name for name in features if "/" in name or name in SINGLE] if any("/" in name for name in features) else features
    by = args.by.split(",")

    rows = []
    for _, part in table.groupby("type"):
        train = part[(part.split == "train") & part.set.map(lambda name: re.search(args.train_sets, name) is not None)]
        judged = part[part.split != "train"]
        if judged.empty:
            continue
        for name in SINGLE:
            if name in part and judged[name].notna().any():
                # A score of one caller's records says nothing about the others': only groups that have it are judged.
                with_score = judged.groupby(by)[name].transform(lambda values: values.notna().any())
                shown = judged[with_score]
                rows += measured(name, shown, shown[name].fillna(shown[name].min() - 1), by)
        if train.label.nunique() < 2:
            print(f"{part.type.iloc[0]}: training needs real and false calls", file=sys.stderr)
            continue
        groups = [("", annotations)] + ([("_all", features)] if len(features) > len(annotations) else [])
        for suffix, group in groups:
            # A column of one value only cannot be binned.
            used = [name for name in group if train[name].nunique() > 1]
            for name, model in models(args.seed):
                if suffix and name != "trees":
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model.fit(train[used], train.label)
                    rows += measured(name + suffix, judged, model.predict_proba(judged[used])[:, 1], by)
    report = pd.DataFrame(rows)
    report.to_csv(args.out or sys.stdout, sep="\t", index=False, float_format="%.5f")


if __name__ == "__main__":
    main()
