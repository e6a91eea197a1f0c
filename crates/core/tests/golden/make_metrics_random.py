"""Makes metrics_random.json: what SciPy, statsmodels and scikit-learn say of random cases. Run with NumPy, SciPy 1.17,
scikit-learn 1.9 and statsmodels 0.15:

    python crates/core/tests/golden/make_metrics_random.py

scikit-learn has no calibration error: that is computed here as Guo et al. (2017) define it, bin by bin, and Tango's
interval from the likelihood alone, without the formula that solves it.
"""

import json
from pathlib import Path

import numpy
from scipy.optimize import brentq
from scipy.stats import binomtest, norm
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


def least_favourable(only_first, only_second, total, difference):
    """The most likely probability that only the second is right, where only the first is so with `difference` more."""
    low, high = max(0.0, -difference), (1 - difference) / 2

    def slope(second):
        parts = [(only_first, second + difference, 1), (only_second, second, 1)]
        parts.append((total - only_first - only_second, 1 - 2 * second - difference, -2))
        return sum(weight * count / probability for count, probability, weight in parts if count)

    # The likelihood is concave between the ends, where a part that was seen has no probability.
    inside = 1e-15 + (high - low) * 1e-13
    if high - low < 1e-9 or slope(low + inside) <= 0:
        return low
    if slope(high - inside) >= 0:
        return high
    return brentq(slope, low + inside, high - inside, xtol=1e-16, rtol=1e-14)


def tango_interval(only_first, only_second, total):
    """The differences that Tango's score test (1998) does not reject at 5 %."""
    quantile = norm.ppf(0.975)

    def score(difference):
        second = least_favourable(only_first, only_second, total, difference)
        variance = total * (2 * second + difference * (1 - difference))
        distance = only_first - only_second - total * difference
        return distance / numpy.sqrt(variance) if variance > 0 else numpy.sign(distance) * 1e300

    found, edge = (only_first - only_second) / total, 1 - 1e-7
    low = brentq(lambda x: score(x) - quantile, -edge, found, xtol=1e-15) if score(-edge) > quantile else -1.0
    high = brentq(lambda x: score(x) + quantile, found, edge, xtol=1e-15) if score(edge) < -quantile else 1.0
    return [low, high]


def difference_cases():
    # The example of Fagerland et al. (2014), then the smallest ones and random ones.
    counts = [(1, 7, 21), (1, 1, 50), (0, 0, 30), (12, 2, 14), (5, 0, 20), (0, 7, 2000), (18, 52, 2000)]
    counts += [(14, 0, 14), (0, 1, 1), (1, 0, 1), (0, 0, 1), (2, 0, 2)]
    for total in map(int, RANDOM.integers(2, 3000, 24)):
        first = int(RANDOM.integers(0, total // 2 + 1))
        counts.append((first, int(RANDOM.integers(0, min(total - first, first + 30) + 1)), total))
    for first, second, total in counts:
        interval = [float(bound) for bound in tango_interval(first, second, total)]
        yield {"only_first": first, "only_second": second, "total": total, "interval": interval}


def main():
    cases = {
        "mcnemar": list(mcnemar_cases()),
        "wilson": list(wilson_cases()),
        "precision_recall": list(precision_recall_cases()),
        "calibration": list(calibration_cases()),
        "difference": list(difference_cases()),
    }
    lines = []
    for name, found in cases.items():
        rows = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in found)
        lines.append(f'"{name}": [\n{rows}\n]')
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
