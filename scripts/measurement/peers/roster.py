"""Who takes part in scripts/bench-peers, and how a peer's worker is started and believed."""

import json
import os
from collections import namedtuple

import repository
from measurement import processes
from report import Failure

OURS, SCIKIT_LEARN = "ours", "scikit-learn"
TITLES = {OURS: "Convbase", "keras": "Keras, TensorFlow", "torch": "PyTorch", "onnxruntime": "ONNX Runtime",
          "openvino": "OpenVINO", SCIKIT_LEARN: "scikit-learn"}

Candidate = namedtuple("Candidate", "framework precision")
EXTRACTION = {f"{framework}-{precision}": Candidate(framework, precision) for framework, precision in (
    (OURS, "fp32"), (OURS, "bf16"), (OURS, "int8"), ("keras", "fp32"), ("keras", "bf16"), ("torch", "fp32"),
    ("torch", "bf16"), ("onnxruntime", "fp32"), ("openvino", "fp32"), ("openvino", "bf16"), ("openvino", "int8"))}
# keras.applications has other sizes of this family, and not this one.
UNKNOWN = {("keras", "efficientnet_lite0")}
# Part -> who learns in it.
LEARNERS = {"head": (OURS, "keras", "torch"), "probe": (OURS, SCIKIT_LEARN), "augmentation": (OURS, "keras"),
            "fine-tuning": (OURS, "keras"), "gradients": (OURS, "torch")}
PARTS = ("extraction", *LEARNERS)


def words_of(text):
    """Names of extraction's candidates and of frameworks, with commas between; all where nothing is said."""
    words = list(TITLES) if text is None else [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in TITLES and word not in EXTRACTION:
            raise Failure(f"--candidates: expected some of {', '.join(EXTRACTION)}, or the name of a framework "
                          f"({', '.join(TITLES)}), found `{word}`")
    return words


def chosen(text):
    """Extraction's candidates, in the order in which they are said."""
    return list(dict.fromkeys(name for word in words_of(text) for name, candidate in EXTRACTION.items()
                              if word in (name, candidate.framework)))


def learners(part, text):
    """Those of a part whose framework is said."""
    frameworks = {EXTRACTION[word].framework if word in EXTRACTION else word for word in words_of(text)}
    found = [name for name in LEARNERS[part] if name in frameworks]
    # A comparison of the two, and nothing of one alone.
    return found if part != "gradients" or len(found) == 2 else []


def taking_part(text, only=None, base=repository.BASE):
    """Part -> its candidates; parts without any are left out."""
    found = {part: chosen(text) if part == "extraction" else learners(part, text)
             for part in PARTS if only in (None, part)}
    if base != repository.BASE:
        found = {"extraction": [name for name in found.get("extraction", []) if knows(name, base)]}
    found = {part: names for part, names in found.items() if names}
    if not found:
        raise Failure(f"--candidates: expected somebody who takes part in {only or 'anything'}, found `{text}`")
    return found


def knows(name, base):
    """Whether a candidate extracts with another base than the tutorial's."""
    framework, precision = EXTRACTION[name]
    return precision in ("fp32", "int8") and (framework, base) not in UNKNOWN


class Workers:
    """Starts workers, each a fresh process of the throw-away interpreter."""

    def __init__(self, interpreter, home):
        self.interpreter, self.home = interpreter, home
        self.versions = {}

    def run(self, name, framework, *arguments):
        """Gives the whole process as it was measured, and what the worker says of its parts."""
        worker = repository.SCRIPTS / "measurement/peers" / f"{framework}_worker.py"
        measured = processes.must(name, [self.interpreter, worker, *arguments], self.variables())
        answer = last_object(name, measured.out)
        self.versions.update(answer.pop("versions", {}))
        return measured, answer

    def variables(self):
        """Nothing of the person's Python, no GPU; what the frameworks leave behind goes away with the work."""
        self.home.mkdir(exist_ok=True)
        cleared = {name: "" for name in os.environ if name in ("PYTHONPATH", "PYTHONSTARTUP")}
        return {**cleared, "HOME": str(self.home), "KERAS_HOME": str(self.home), "KERAS_BACKEND": "tensorflow",
                "PYTHONNOUSERSITE": "1", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}


def last_object(name, out):
    """The JSON object of a worker's last line."""
    lines = [line for line in out.splitlines() if line.strip()]
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        raise Failure(f"{name}: expected its worker to end with a line of JSON, found "
                      f"`{lines[-1][:80] if lines else ''}`")
    return answer


def counterpart(name):
    """Ours of the same precision."""
    return f"{OURS}-{EXTRACTION[name].precision}"


def check_rows(name, answer, expected):
    if answer.get("rows") != expected:
        raise Failure(f"{name}: expected {expected} rows, found {answer.get('rows')}")


def check_order(name, answer, expected):
    if answer.get("order") != expected:
        raise Failure(f"{name}: its photographs are not in the order of Convbase's rows")


def fastest(rates):
    """The setting with the highest rate; the first of equals."""
    return max(rates, key=rates.get)
