"""The browser of this machine, and what drives it."""

import json
import shutil
import subprocess

import repository
from install.throwaway import Throwaway
from report import Failure

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOLDER = repository.TOOLCHAIN / "browser"
DRIVER = Throwaway("browser", "scripts/browse", repository.SCRIPTS / "requirements-browser.txt",
                   "Playwright and axe-core (50 MB of downloads, 150 MB unpacked)")


def find():
    """The path of Chromium, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def visit(interpreter, program, page, screenshots):
    """What the worker, which runs in the environment of its own, saw on a page."""
    wanted = {"page": str(page.resolve()), "program": str(program),
              "screenshots": str(screenshots.resolve()) if screenshots else None}
    ended = subprocess.run([str(interpreter), str(repository.SCRIPTS / "pages/visit.py"), json.dumps(wanted)],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        last = (ended.stderr.strip() or f"ended with code {ended.returncode}").splitlines()[-1]
        raise Failure(f"{page}: the browser did not get through: {last}")
    return json.loads(ended.stdout.splitlines()[-1])
