"""What a measurement leaves behind: JSON and Markdown, written anew after every round, whole or not at all."""

import json
import os

import repository
from report import say


class Report:
    """Keeps `document` on disk; what was measured before an interruption stays."""

    def __init__(self, folder, name, document):
        self.path, self.document = folder / f"{name}.json", document
        # The tables as Markdown, made when they are written.
        self.page = lambda: ""
        folder.mkdir(parents=True, exist_ok=True)

    def write(self):
        appear(self.path, json.dumps(self.document, indent=1, ensure_ascii=False) + "\n")
        appear(self.path.with_suffix(".md"), self.page().rstrip("\n") + "\n")

    def add(self, section, run):
        """Adds a run of one candidate to a section of the document; `write` comes after the round."""
        self.document.setdefault(section, {}).setdefault("runs", []).append(run)

    def fail(self, reason):
        """A check that does not hold; the measurement goes on."""
        say(f"failed: {reason}")
        self.document.setdefault("failed_checks", []).append(reason)

    def close(self, name):
        """The last line; gives the exit code."""
        failed = self.document.get("failed_checks", [])
        told = f"{len(failed)} checks failed" if failed else "no check failed"
        say(f"{name}: {told}; {repository.shown(self.path)}, {self.path.with_suffix('.md').name}")
        return 1 if failed else 0


def appear(path, text):
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
