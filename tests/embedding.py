#!/usr/bin/env python3
"""Compares maps and clusters of `cnnfilter embed map` with scikit-learn, umap-learn, SciPy and AnnData on the same numbers.

    embedding.sh PROGRAM    makes the environment
    embedding.py PROGRAM

Needs the packages of tests/embedding.txt. The data are made here, written as a file of embeddings and mapped: PCA must be
scikit-learn's up to sign, the inertia of k-means within 1 % of its, the trustworthiness of the map within 0.02 of
umap-learn's, spectral clusters as good as its, and the p of an enrichment SciPy's. AnnData must read the .h5ad, and scanpy draw it.
"""

import io
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings
import zipfile

import numpy
from scipy import stats
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

CLUSTERS = 8


def expect(condition, what):
    if not condition:
        sys.exit(f"embedding.py: {what}")


def made_up(calls=3000):
    """Two layers of clouds with noise around them, and columns of which one follows the clouds."""
    random = numpy.random.default_rng(7)
    cloud = random.integers(0, CLUSTERS, calls)
    layers = {}
    for name, width, inner in (("wide", 96, 12), ("narrow", 24, 6)):
        middles = random.normal(size=(CLUSTERS, inner)) * 3
        points = middles[cloud] + random.normal(size=(calls, inner)) * random.uniform(0.6, 1.8, (calls, 1))
        mixed = points @ random.normal(size=(inner, width)) + random.normal(size=(calls, width)) * 0.3
        layers[name] = numpy.maximum(mixed, 0).astype("<f4")
    kind = numpy.where(random.uniform(size=calls) < 0.85, cloud % 2, 1 - cloud % 2).astype("<i4")
    depth = (random.normal(size=calls) + cloud).astype("<f4")
    depth[::50] = numpy.nan
    return layers, kind, depth, cloud


def write(path, layers, kind, depth):
    """A file of embeddings, by Python's own zip and NumPy."""
    calls = len(kind)
    columns = {
        "contig": ("category", numpy.zeros(calls, "<i4"), ["chr1"]),
        "pos": ("integer", numpy.arange(1, calls + 1, dtype="<i8"), None),
        "ref": ("category", numpy.zeros(calls, "<i4"), ["A"]),
        "alt": ("category", numpy.zeros(calls, "<i4"), ["C"]),
        "type": ("category", kind, ["SNP", "INDEL"]),
        "depth": ("number", depth, None),
    }
    meta = {
        "format": 1, "cnnfilter_version": "0", "model": "made_up", "architecture": "none", "weights_sha256": "0", "calls": calls,
        "layers": [{"name": name, "width": layer.shape[1], "pools": "as it is"} for name, layer in layers.items()],
        "columns": [{"name": name, "kind": kind, **({"levels": levels} if levels else {})} for name, (kind, _, levels) in columns.items()],
        "inputs": [], "left_out": {},
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps(meta))
        arrays = {f"layer/{name}": layer for name, layer in layers.items()}
        arrays |= {f"obs/{name}": values for name, (_, values, _) in columns.items()}
        for name, values in arrays.items():
            out = io.BytesIO()
            numpy.save(out, values)
            archive.writestr(f"{name}.npy", out.getvalue())


def joined_by_scikit_learn(layers):
    parts = []
    for layer in layers.values():
        scaled = StandardScaler().fit_transform(layer.astype("f8"))
        pca = PCA(min(200, *layer.shape)).fit(scaled)
        parts.append(pca.transform(scaled) / numpy.sqrt(pca.explained_variance_.sum()))
    return PCA(50).fit_transform(numpy.hstack(parts))


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        layers, kind, depth, cloud = made_up()
        write(folder / "run.npz", layers, kind, depth)
        subprocess.run([program, "embed", "map", "-q", "run.npz", "-o", "map.npz", "--clusters", str(CLUSTERS), "--h5ad", "map.h5ad",
                        "--enrichment", "rich.tsv"], cwd=folder, check=True)
        found = numpy.load(folder / "map.npz")

        ours, theirs = found["layer/pca"].astype("f8"), joined_by_scikit_learn(layers)
        expect(ours.shape == theirs.shape, f"shapes {ours.shape}, {theirs.shape}")
        leading = theirs.var(0) > 1e-3 * theirs.var(0)[0]
        signs = numpy.sign((ours * theirs).sum(0))
        error = numpy.abs(ours - theirs * signs)[:, leading].max() / numpy.abs(theirs).max()
        expect(error < 1e-3, f"PCA differs by {error}")
        print(f"PCA: largest difference {error:.1e} of the largest coordinate")

        clusters = found["obs/kmeans"]
        centres = numpy.stack([ours[clusters == at].mean(0) for at in range(CLUSTERS)])
        inertia = ((ours - centres[clusters]) ** 2).sum()
        reference = KMeans(CLUSTERS, n_init=10, random_state=0).fit(ours)
        expect(inertia < 1.01 * reference.inertia_, f"inertia {inertia}, scikit-learn {reference.inertia_}")
        print(f"k-means: inertia {inertia:.4f}, scikit-learn {reference.inertia_:.4f}")

        spectral = SpectralClustering(CLUSTERS, affinity="nearest_neighbors", n_neighbors=16, random_state=0).fit_predict(ours)
        own, other = (adjusted_rand_score(cloud, one) for one in (found["obs/spectral"], spectral))
        expect(own > other - 0.02, f"spectral {own}, scikit-learn {other}")
        print(f"spectral: adjusted Rand index {own:.3f}, scikit-learn {other:.3f}")

        import umap  # slow to import
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = umap.UMAP(random_state=1).fit_transform(ours)
        own, other = (trustworthiness(ours, one, n_neighbors=15) for one in (found["layer/umap"], other))
        expect(own > other - 0.02, f"trustworthiness {own}, umap-learn {other}")
        print(f"UMAP: trustworthiness {own:.4f}, umap-learn {other:.4f}")

        check_enrichment(folder / "rich.tsv", clusters, kind, depth)
        check_anndata(folder / "map.h5ad", layers, found)


def check_enrichment(path, clusters, kind, depth):
    header, *lines = (line.split("\t") for line in path.read_text().splitlines())
    rows = [dict(zip(header, line)) for line in lines]
    compared = 0
    for row in (row for row in rows if row["clustering"] == "kmeans"):
        inside = clusters == int(row["cluster"]) - 1
        if row["column"] == "type":
            marked = kind == ["SNP", "INDEL"].index(row["value"])
            hypergeometric = stats.hypergeom(len(kind), marked.sum(), inside.sum())
            both = hypergeometric.sf((inside & marked).sum() - 1), hypergeometric.cdf((inside & marked).sum())
            p = min(1, 2 * min(both))
        elif row["column"] == "depth":
            known = ~numpy.isnan(depth)
            test = stats.mannwhitneyu(depth[inside & known], depth[~inside & known], method="asymptotic", use_continuity=False)
            p = test.pvalue
            effect = test.statistic / (inside & known).sum() / (~inside & known).sum()
            expect(abs(effect - float(row["effect"])) < 1e-4, f"effect {row}, SciPy {effect}")
        else:
            continue
        if 1e-290 < p:
            expect(abs(numpy.log10(p) - numpy.log10(float(row["p"]))) < 0.03, f"p of {row}, SciPy {p}")
            compared += 1
    expect(compared >= CLUSTERS, f"{compared} values of p compared")
    print(f"enrichment: {compared} values of p are SciPy's")


def check_anndata(path, layers, found):
    import anndata

    read = anndata.read_h5ad(path)
    expect(read.shape == (3000, 120), f"AnnData of {read.shape}")
    expect(numpy.array_equal(read.X, numpy.hstack(list(layers.values()))), "AnnData's X")
    expect(numpy.array_equal(read.obsm["X_umap"], found["layer/umap"]), "AnnData's map")
    expect(list(read.obs["type"].cat.categories) == ["SNP", "INDEL"], "AnnData's categories")
    expect(read.obs_names[4] == "chr1:5:A>C", f"AnnData's names: {read.obs_names[4]}")
    expect(set(read.var["layer"]) == {"wide", "narrow"}, "AnnData's variables")
    again = path.with_suffix(".again.h5ad")
    read.write_h5ad(again)
    expect(anndata.read_h5ad(again).shape == read.shape, "AnnData writes it again")
    import matplotlib
    matplotlib.use("Agg")
    import scanpy

    drawn = scanpy.pl.umap(read, color="type", show=False)
    expect(len(drawn.collections[0].get_offsets()) > 0, "scanpy draws nothing")
    print(f"AnnData {anndata.__version__} reads {read.shape[0]} calls, {read.shape[1]} numbers")


main()
