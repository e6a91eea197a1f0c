"""What an audit wrote, read back and held against what was planted."""

import csv
import json


def lines(audit, name):
    with open(audit / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def summary(audit):
    return json.loads((audit / "audit.json").read_text(encoding="utf-8"))


def precision_and_recall(found, planted):
    """Shares: of what was found that was planted, and of what was planted that was found."""
    right = len(set(found) & set(planted))
    return right / max(len(found), 1), right / max(len(planted), 1)


def twin_pairs(audit):
    """(store, path) -> (store, path) of the first of its set, kind and cosine."""
    pairs, first = {}, None
    for line in lines(audit, "twins.csv"):
        key = line["store"], line["path"]
        if line["kind"] == "first":
            first = key
        else:
            pairs[key] = first, line["kind"], float(line["cosine"])
    return pairs


def same_lists(ours, theirs, confidence):
    """Whether two ranked lists of photographs are equal but for the order of equal confidence."""
    if sorted(ours) != sorted(theirs):
        return False
    return [confidence[path] for path in ours] == [confidence[path] for path in theirs]
