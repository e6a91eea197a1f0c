"""Makes metrics_random.json: what SciPy, statsmodels and scikit-learn say of random cases. Run with NumPy, SciPy 1.17,
scikit-learn 1.9 and statsmodels 0.15:

    python crates/core/tests/golden/make_metrics_random.py

scikit-learn has no calibration error: that is computed here as Guo et al. (2017) define it, bin by bin.
"""

import json
from pathlib import Path

import numpy
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, precision_recall_curve
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

FILE = Path(__file__).with_name("metrics_random.json")
RANDOM = numpy.random.default_rng(12)


def mcnemar_cases():
    counts = [(0, 0), (0, 1), (1, 0), (5, 5), (18, 52), (75, 66), (0, 40), (1000, 1100)]
    counts += [(49_600, 50_400), (1_000_000, 1_003_000)]
    counts += [tuple(map(int, RANDOM.integers(0, 10 ** RANDOM.integers(1, 5), 2))) for _ in range(30)]
    for first, second in counts:
        by_statsmodels = mcnemar([[0, first], [second, 0]], exact=True).pvalue if first + second else 1.0
        by_scipy = binomtest(first, first + second).pvalue if first + second else 1.0
        assert abs(by_statsmodels - by_scipy) < 1e-9, (first, second, by_statsmodels, by_scipy)
        yield {"only_first": first, "only_second": second, "p": float(by_statsmodels)}


def wilson_cases():
    for total in [1, 2, 10, 2000, 10**6, *map(int, RANDOM.integers(1, 5000, 20))]:
        for correct in {0, total, int(RANDOM.integers(0, total + 1))}:
            low, high = proportion_confint(correct, total, alpha=0.05, method="wilson")
            yield {"correct": correct, "total": total, "interval": [float(low), float(high)]}


def precision_recall_cases():
    for rows in [1, 2, 5, 20, 40, 60]:
        for decimals in (1, 3, 17):  # With one decimal most scores are tied.
            labels = RANDOM.integers(0, 2, rows)
            labels[0] = 1
            scores = numpy.round(RANDOM.random(rows), decimals)
            precisions, recalls, thresholds = precision_recall_curve(labels, scores)
            yield {
                "labels": labels.tolist(),
                "scores": scores.tolist(),
                "precisions": precisions.tolist(),
                "recalls": recalls.tolist(),
                "thresholds": thresholds.tolist(),
                "average_precision": float(average_precision_score(labels, scores)),
            }


def calibration_error(labels, probabilities, bins):
    confidences, predictions = probabilities.max(axis=1), probabilities.argmax(axis=1)
    parts, error = [], 0.0
    for bin in range(bins):
        within = (confidences > bin / bins) & (confidences <= (bin + 1) / bins)
        if not within.any():
            parts.append([0, None, None])
            continue
        confidence, accuracy = confidences[within].mean(), (predictions == labels)[within].mean()
        error += within.mean() * abs(accuracy - confidence)
        parts.append([int(within.sum()), float(confidence), float(accuracy)])
    return float(error), parts


def calibration_cases():
    shapes = [(2, 1, 15), (2, 60, 15), (2, 40, 10), (3, 50, 15), (5, 40, 7), (2, 30, 1), (2, 40, 100), (4, 30, 20)]
    for classes, rows, bins in shapes:
        for decimals in (1, 17):  # With one decimal many confidences lie on an edge.
            weights = numpy.round(RANDOM.dirichlet(numpy.full(classes, 0.5), rows), decimals)
            weights[:, -1] = 1 - weights[:, :-1].sum(axis=1)
            probabilities = numpy.clip(weights, 0.0, 1.0)
            labels = RANDOM.integers(0, classes, rows)
            error, parts = calibration_error(labels, probabilities, bins)
            yield {
                "labels": labels.tolist(),
                "probabilities": probabilities.ravel().tolist(),
                "classes": classes,
                "expected_error": error,
                "bins": parts,
            }


def main():
    cases = {
        "mcnemar": list(mcnemar_cases()),
        "wilson": list(wilson_cases()),
        "precision_recall": list(precision_recall_cases()),
        "calibration": list(calibration_cases()),
    }
    lines = []
    for name, found in cases.items():
        rows = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in found)
        lines.append(f'"{name}": [\n{rows}\n]')
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
