#!/usr/bin/env python3
"""How well annotations alone tell real calls from false ones: the line that a network has to beat.

usage: baselines.py EXAMPLES.tsv [--out scores.tsv] [--train-sets REGEX] [--by set|set,caller] [--seed N]

EXAMPLES.tsv has one line an allele: set, split (train, validation, test), contig, pos, ref, alt, label (1 real, 0 false), type (SNP,
INDEL), optionally caller, then numeric annotations, empty where missing (`cnnfilter tensors` or scripts/annotations.py write it). SNP and
INDEL get models of their own, fitted to the alleles of split train:

  logistic   logistic regression on quantile-scaled annotations, medians and a bit for missing ones
  trees      scikit-learn's HistGradientBoostingClassifier, missing values as they are
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

KEYS = ["set", "split", "caller", "contig", "pos", "ref", "alt", "label", "type"]
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
    table = table.assign(score=scores)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples")
    parser.add_argument("--out")
    parser.add_argument("--train-sets", default="", help="regular expression of the sets trained on (default all of split train)")
    parser.add_argument("--by", default="set", help="columns to report by, comma-separated (default set)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    table = pd.read_csv(args.examples, sep="\t", dtype={"contig": str, "ref": str, "alt": str, "set": str}, keep_default_na=False, na_values=[""])
    missing = [name for name in KEYS if name not in table and name != "caller"]
    if missing:
        raise SystemExit(f"{args.examples}: columns missing: {', '.join(missing)}")
    features = [name for name in table if name not in KEYS and name not in SCORES]
    text = [name for name in features if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise SystemExit(f"{args.examples}: columns that are not numbers: {', '.join(text)}")
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
        used = [name for name in features if train[name].notna().any()]
        for name, model in models(args.seed):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(train[used], train.label)
                rows += measured(name, judged, model.predict_proba(judged[used])[:, 1], by)
    report = pd.DataFrame(rows)
    report.to_csv(args.out or sys.stdout, sep="\t", index=False, float_format="%.5f")


if __name__ == "__main__":
    main()
