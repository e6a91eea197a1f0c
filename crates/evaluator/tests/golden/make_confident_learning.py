#!/usr/bin/env python3
"""Makes confident_learning.json: what cleanlab finds in drawn probabilities.

Run: python crates/evaluator/tests/golden/make_confident_learning.py, with the
packages of scripts/requirements-audit.txt.
"""

import json
from pathlib import Path

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues

# Classes, photographs, share of swapped labels, sharpness of the probabilities.
CASES = [(2, 60, 0.1, 3.0), (2, 150, 0.02, 6.0), (2, 40, 0.4, 1.0), (3, 90, 0.15, 3.0), (3, 30, 0.3, 1.0),
         (5, 120, 0.1, 4.0), (5, 60, 0.5, 0.5), (10, 150, 0.2, 3.0), (10, 40, 0.3, 2.0), (20, 120, 0.25, 4.0)]


def main():
    cases = [case(np.random.default_rng(seed), *options) for seed, options in enumerate(CASES)]
    cases += [without_a_class(), alone_in_its_class(), never_confident()]
    path = Path(__file__).with_name("confident_learning.json")
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n", encoding="utf-8")


def case(random, classes, photographs, swapped, sharpness):
    truth = random.integers(classes, size=photographs)
    labels = np.where(random.random(photographs) < swapped, random.integers(classes, size=photographs), truth)
    logits = random.normal(size=(photographs, classes))
    logits[np.arange(photographs), truth] += sharpness * random.random(photographs)
    return answers(labels, probabilities(logits))


def without_a_class():
    random = np.random.default_rng(100)
    labels = random.choice([0, 2, 3], size=50)
    return answers(labels, probabilities(random.normal(size=(50, 4)) + np.eye(4)[labels]))


def alone_in_its_class():
    random = np.random.default_rng(101)
    labels = np.array([0] * 20 + [1] * 20 + [2])
    return answers(labels, probabilities(random.normal(size=(41, 3)) + np.eye(3)[labels]))


def never_confident():
    """Nobody of the second class reaches its threshold but for one."""
    labels = np.array([0] * 6 + [1] * 6)
    second = np.array([0.1, 0.2, 0.15, 0.05, 0.9, 0.12, 0.3, 0.31, 0.32, 0.33, 0.34, 0.99])
    return answers(labels, np.stack([1 - second, second], axis=1).round(6))


def probabilities(logits):
    powers = np.exp(logits)
    # Few digits keep the file small; what they do not sum to 1 by does not matter.
    return (powers / powers.sum(axis=1, keepdims=True)).round(5)


def answers(labels, probabilities):
    thresholds = get_confident_thresholds(labels, probabilities)
    thresholds = [None if threshold > 1 else float(threshold) for threshold in thresholds]
    joint = compute_confident_joint(labels, probabilities)
    doubtful = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate",
                                 return_indices_ranked_by="self_confidence", n_jobs=1)
    return {"labels": labels.tolist(), "probabilities": probabilities.tolist(), "thresholds": thresholds,
            "joint": joint.tolist(), "doubtful": doubtful.tolist()}


if __name__ == "__main__":
    main()
