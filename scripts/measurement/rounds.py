"""Rounds of one measurement of scripts/bench: everyone once in each, in turns, and a table at the end."""

from measurement import machine, processes, table
from measurement.report import Report
from report import say

FIGURES = ("seconds", "images_per_second", "total_rate", "forward_rate", "cpu_share", "peak_bytes")
HEADER = ["s", "images/s", "images/s at work", "peak memory, MB", "share of the cores, %"]
CAPTION = ("Medians of {rounds} rounds, with minimum and maximum, of whole processes from their start to their end; "
           "at work only from the listing of the photographs to the last one's features.")
RATIO_CAPTION = " The ratio is the median of the rounds' ratios, in seconds, and above 1 where it is faster."
# The options that decide the figures; paths of a machine are none of them.
OPTIONS = ("base", "runs", "images_limit", "precision", "image_size", "counts", "options", "epochs")


class Rounds:
    """A measurement replaces `table` and `caption` where it has something else to say."""

    def __init__(self, ground, **further):
        self.ground = ground
        self.report = Report(ground.options.out, f"bench-{ground.name}", {
            "measurement": ground.name, "machine": ground.machine,
            "options": {name: getattr(ground.options, name) for name in OPTIONS},
            **further, "runs": [], "medians": {}, "ratios": {}, "failed_checks": []})
        self.report.page = self.page
        self.document, self.table, self.caption = self.report.document, self.usual, CAPTION
        # Candidate -> the one that it is divided by.
        self.compared = {}

    def take(self, candidates, turn=True):
        """`candidates`: name -> what gives its figures. Without `turn` the order stays: one needs another's result."""
        runs = self.ground.options.runs
        for number in range(1, runs + 1):
            for name in processes.rotated(candidates, number) if turn else candidates:
                found = candidates[name]()
                self.document["runs"].append({"round": number, "candidate": name, **found})
                say(f"round {number}/{runs}, {name}: {found['seconds']:.2f} s, {found['peak_bytes'] / 1e6:.0f} MB")
            self.summarise()
            self.report.write()

    def summarise(self):
        runs = self.document["runs"]
        self.document["medians"] = processes.summaries(runs, FIGURES)
        self.document["ratios"] = {name: processes.ratio(runs, "seconds", first, name)
                                   for name, first in self.compared.items()}

    def close(self):
        self.report.write()
        say(f"\n{table.plain(*self.table())}\n{self.captioned()}\n")
        return self.report.close(f"bench {self.ground.name}")

    def page(self):
        failed = [f"failed: {reason}" for reason in self.document["failed_checks"]]
        return "\n\n".join([f"{machine.describe(self.ground.machine)}.", table.markdown(*self.table()),
                            self.captioned(), *failed])

    def captioned(self):
        text = self.caption.format(rounds=processes.rounds(self.document["runs"]))
        return text + (RATIO_CAPTION if self.compared else "")

    def usual(self):
        rows = []
        for name, found in self.document["medians"].items():
            row = [name, table.spread(found["seconds"], 2), table.spread(found["images_per_second"]),
                   table.spread(found["total_rate"]), table.spread(found["peak_bytes"], 0, 1e-6),
                   table.spread(found["cpu_share"], 0, 100)]
            rows.append(row + ([table.times(self.document["ratios"].get(name))] if self.compared else []))
        against = [f"{first} ÷ it" for first in dict.fromkeys(self.compared.values())]
        ratio = against if len(against) == 1 else ["ratio"] if against else []
        return [self.ground.name, *HEADER, *ratio], rows

    def median(self, candidate, name):
        found = self.document["medians"].get(candidate, {}).get(name)
        return found["median"] if found else None


def figures(measured, photographs=None, **further):
    """Of a whole process, and of the photographs that went through it."""
    return {**measured.figures(), "cpu_share": measured.cpu_share(),
            "images_per_second": photographs / measured.seconds if photographs else None, **further}


def added(first, second):
    """Of two processes, one after the other."""
    seconds = first["seconds"] + second["seconds"]
    shared = sum(found["cpu_share"] * found["seconds"] for found in (first, second)) / seconds
    return {"seconds": seconds, "cpu_seconds": first["cpu_seconds"] + second["cpu_seconds"],
            "peak_bytes": max(first["peak_bytes"], second["peak_bytes"]), "cpu_share": shared}
