"""What predictions.csv says of a threshold, computed without any of our programs."""

import csv


def rows(path):
    """Of two classes: whether a photograph is of the second, and the probability of that; else None."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        header = next(lines)
        if len(header) != 6:
            return None
        positive = header[5].removeprefix("prob_")
        return [(line[1] == positive, float(line[5])) for line in lines]


def accuracy(found, threshold):
    """The share of photographs that are right when a probability has to exceed the threshold."""
    return sum((probability > threshold) == is_positive for is_positive, probability in found) / len(found)
