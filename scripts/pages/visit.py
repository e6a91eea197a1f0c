"""Visits one page in headless Chromium, in an environment that has Playwright and axe-core; tells what it saw as JSON."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from pages import thresholds

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
# What the tab key must reach, in this order: all that is visible, not disabled, and not left out on purpose.
CONTROLS = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter(control => control.checkVisibility() && !control.disabled)"""
STEPS = (0, 1, 137, 250, 499, 500, 501, 733, 900, 999, 1000)


class Visit:
    def __init__(self, wanted):
        self.path = Path(wanted["page"])
        self.program = wanted["program"]
        self.screenshots = Path(wanted["screenshots"]) if wanted["screenshots"] else None
        self.problems = []
        self.counts = {}
        self.shots = []

    def run(self):
        """Opens the page in both colour schemes and both widths."""
        with sync_playwright() as playwright:
            # As root Chromium starts without its sandbox only; the page is ours, and asks for nothing.
            browser = playwright.chromium.launch(executable_path=self.program, args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                page = self.open(browser, scheme, DESKTOP)
                self.check_images(page)
                self.check_accessibility(page, scheme)
                self.picture(page, scheme)
                if scheme == "light":
                    self.check_slider(page)
                    self.check_tab_order(page)
                page.context.close()
            page = self.open(browser, "light", PHONE)
            self.check_width(page)
            self.check_accessibility(page, "phone")
            self.picture(page, "phone")
            browser.close()
        return {"problems": self.problems, "counts": self.counts, "screenshots": self.shots}

    def open(self, browser, scheme, size):
        page = browser.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce").new_page()
        address = self.path.as_uri()
        page.on("console", lambda message: self.problems.append(f"console: {message.text}")
                if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("request", lambda request: self.problems.append(f"request: {request.url}")
                if request.url.partition("#")[0] != address and not request.url.startswith("data:") else None)
        page.goto(address)
        page.wait_for_load_state("load")
        return page

    def check_images(self, page):
        broken = page.evaluate("() => [...document.images].filter(image => !image.complete || image.naturalWidth === 0)"
                               ".map(image => image.alt)")
        self.problems += [f"image: {alt} did not load" for alt in broken]
        self.counts["images"] = page.evaluate("() => document.images.length")

    def check_accessibility(self, page, what):
        results = Axe().run(page).response
        for violation in results["violations"]:
            nodes = violation["nodes"]
            self.problems.append(f"axe-core, {what}: {violation['id']}: {violation['help']} ({len(nodes)} places, the "
                                 f"first is {nodes[0]['html'][:120]})")
        self.counts["rules of axe-core passed"] = len(results["passes"])

    def check_slider(self, page):
        beside = self.path.with_name("predictions.csv")
        slider = page.locator("#slider")
        if slider.count() == 0:
            return
        found = thresholds.rows(beside) if beside.is_file() else None
        if not found:
            self.problems.append(f"{beside}: expected the predictions of two classes beside a page with a slider")
            return
        for step in STEPS:
            slider.fill(str(step))
            told = page.locator("#threshold-accuracy").text_content()
            expected = f"{thresholds.accuracy(found, step / 1000):.4f}"
            if told != expected:
                self.problems.append(f"slider at {step / 1000}: expected accuracy {expected}, found {told}")
        slider.fill("500")
        slider.focus()
        page.keyboard.press("ArrowRight")
        if page.locator("#threshold-value").text_content() != "0.501":
            self.problems.append("slider: an arrow key does not move it")
        self.counts["thresholds compared"] = len(STEPS)

    def check_tab_order(self, page):
        page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
        page.evaluate(f"() => {{ ({CONTROLS})().forEach((control, place) => control.dataset.place = place); }}")
        expected = page.evaluate(f"() => ({CONTROLS})().length")
        page.mouse.click(0, 0)
        reached = []
        for _ in range(expected + 5):
            page.keyboard.press("Tab")
            place = page.evaluate("() => document.activeElement.dataset.place")
            if place is None:
                break
            reached.append(int(place))
        if reached != list(range(expected)):
            lost = sorted(set(range(expected)) - set(reached))
            self.problems.append(f"tab key: expected {expected} controls in order, found {len(reached)}, without {lost[:5]}")
        self.counts["controls reached by the tab key"] = len(reached)

    def check_width(self, page):
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        if wide > PHONE["width"]:
            self.problems.append(f"phone: expected a page of {PHONE['width']} pixels, found {wide}")

    def picture(self, page, name):
        if self.screenshots is None:
            return
        self.screenshots.mkdir(parents=True, exist_ok=True)
        path = self.screenshots / f"{self.path.stem}-{name}.png"
        page.screenshot(path=str(path), full_page=True)
        self.shots.append(str(path))


if __name__ == "__main__":
    print(json.dumps(Visit(json.loads(sys.argv[1])).run()))
