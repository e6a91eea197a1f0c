"""Runs in an environment of its own: reads held_out.csv, prints the list of cleanlab as JSON, the least sure first."""

import csv
import json
import sys

import numpy
from cleanlab.filter import find_label_issues


def main(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    classes = [name.removeprefix("prob_") for name in rows[0] if name.startswith("prob_")]
    labels = numpy.array([classes.index(row["label"]) for row in rows])
    probabilities = numpy.array([[float(row[f"prob_{name}"]) for name in classes] for row in rows])
    found = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate",
                              return_indices_ranked_by="self_confidence", n_jobs=1)
    json.dump([rows[index]["path"] for index in found], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
