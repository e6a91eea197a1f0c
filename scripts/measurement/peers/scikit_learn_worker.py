"""scikit-learn's logistic regression on the average-pooled features of a store, its C chosen on given folds."""

import time

BEGUN = time.perf_counter()

import sys

sys.dont_write_bytecode = True
# In place of this folder, whose names are none of the framework's business.
sys.path[0] = __file__.rsplit("/", 3)[0]

import joblib
import numpy
import sklearn
from sklearn.linear_model import LogisticRegressionCV

from measurement.peers import work
from measurement.probe import rows as csv_rows
from measurement.stores import store_paths
from report import Failure

STRENGTHS = [10.0 ** power for power in range(-4, 5)]


def pooled(folder):
    """Rows in double precision, as scikit-learn computes, and labels."""
    features, labels = work.stored(folder)
    return features.mean(axis=(1, 2), dtype=numpy.float64), labels


def probe(options, _, begun):
    rows, labels = pooled(options.features)
    held_out = csv_rows(options.folds)
    if [line["path"] for line in held_out] != store_paths(options.features):
        raise Failure(f"{options.folds}: expected the photographs of {options.features} in their order, found others")
    folds = numpy.array([int(line["fold"]) for line in held_out])
    splits = [(numpy.flatnonzero(folds != fold), numpy.flatnonzero(folds == fold)) for fold in numpy.unique(folds)]
    # As many steps as it takes; where it stops is scikit-learn's own, or what is asked for.
    tolerance = {} if options.tolerance is None else {"tol": options.tolerance}
    model = LogisticRegressionCV(Cs=STRENGTHS, cv=splits, scoring="neg_log_loss", max_iter=10_000, n_jobs=-1,
                                 use_legacy_attributes=False, **tolerance)
    ready = time.perf_counter()
    model.fit(rows, labels)
    fitted = time.perf_counter()
    joblib.dump(model, options.out)
    scores = model.scores_.reshape(len(splits), len(STRENGTHS)).mean(axis=0)
    return {"startup": ready - begun, "fit": fitted - ready, "rows": len(rows), "c": float(model.C_),
            "val_loss": float(-scores.max())}


def predict(options, *_):
    rows, labels = pooled(options.features)
    return {"predictions": joblib.load(options.model).predict(rows).tolist(), "labels": labels.tolist()}


if __name__ == "__main__":
    work.main("scikit-learn", BEGUN, None, {"scikit-learn": sklearn.__version__}, probe=probe, predict=predict)
