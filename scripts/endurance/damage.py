"""`stress damage`: every altered byte of a store is found, and none is believed."""

import queue
import random
import shutil
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed

from endurance.alteration import draw
from report import say

# How many alterations of shard files the evaluator is shown.
EVALUATIONS = 100
WORKERS = 2
FIT = ("--epochs", "1", "--hidden", "0", "--device", "cpu", "-q")
NAMES = {"manifest.json": "manifest", "shard": "receipt"}
# What the programs should say of an altered file.
GOOD = ("found", "refused")
EXAMPLES = 5


def damage(ground, options):
    """Each alteration: damage one file, ask verify, trainer and perhaps evaluator, put the file back."""
    checks, runs = ground.checks, options.runs or 1000
    pristine, checkpoint = prepare(ground)
    contents = {path.name: path.read_bytes() for path in sorted(pristine.iterdir())}
    alterations = drawn(ground.seed, contents, runs)
    evaluated = for_evaluator(ground.seed, alterations)
    say(f"{len(alterations)} alterations of {len(contents)} files, {sum(map(len, contents.values()))} bytes")
    stores = queue.Queue()
    for number in range(WORKERS):
        stores.put(shutil.copytree(pristine, ground.folder / f"worker-{number}" / "store"))
    tally, examples, done = defaultdict(Counter), defaultdict(list), 0
    with ThreadPoolExecutor(WORKERS) as pool:
        begun = [pool.submit(ask, ground, stores, one, contents, checkpoint if one in evaluated else None)
                 for one in alterations]
        try:
            for future in as_completed(begun):
                alteration, verdicts = future.result()
                for program, verdict in verdicts.items():
                    kind = kind_of(alteration.file)
                    tally[kind, program][verdict] += 1
                    if verdict not in GOOD:
                        content = contents[alteration.file]
                        examples[kind, program, verdict].append(alteration.describe(content))
                done += 1
                if done % 100 == 0:
                    say(f"{done} of {len(alterations)} alterations")
        finally:
            pool.shutdown(cancel_futures=True)
    tell(checks, tally, examples)
    for number in range(WORKERS):
        left = {path.name: path.read_bytes() for path in (ground.folder / f"worker-{number}/store").iterdir()}
        checks.that(left == contents, "a program changed the store that it was to read")
    return checks.close(figures(tally, len(alterations)))


def prepare(ground):
    """A tiny store with a rejected photograph, and a checkpoint that was trained on it."""
    store, run = ground.folder / "pristine", ground.folder / "run"
    ground.must(ground.extract(ground.images(10), store, "--shard-size", "4"))
    ground.must(ground.command("extractor", "verify", store))
    ground.must(ground.command("trainer", "fit", "--features", store, "--out", run, *FIT))
    return store, run / "best.safetensors"


def drawn(seed, contents, runs):
    """As many flips as truncations and extensions together."""
    sizes = {name: len(content) for name, content in contents.items()}
    flips = [draw(seed, number, sizes, ("flip",)) for number in range(runs)]
    return flips + [draw(seed, number, sizes, ("truncation", "extension"))
                    for number in range(runs, 2 * runs)]


def for_evaluator(seed, alterations):
    """A sample of those that alter files of a shard."""
    of_shards = [alteration for alteration in alterations if alteration.file != "manifest.json"]
    chance = random.Random(f"{seed} evaluator")
    return set(chance.sample(of_shards, min(EVALUATIONS, len(of_shards))))


def ask(ground, stores, alteration, contents, checkpoint):
    """What every program says of one alteration; the store is as it was afterwards."""
    store = stores.get()
    path, content, out = store / alteration.file, contents[alteration.file], store.parent / "out"
    try:
        path.write_bytes(alteration.apply(content))
        verified = ground.call(ground.command("extractor", "verify", store), threads=1)
        verdicts = {"verify": verify_verdict(verified, store, alteration.file)}
        fit = ground.command("trainer", "fit", "--features", store, "--out", out, *FIT)
        verdicts["trainer"] = reader_verdict(ground.call(fit, threads=1), out / "best.safetensors")
        shutil.rmtree(out, ignore_errors=True)
        if checkpoint:
            evaluate = ground.command("evaluator", "evaluate", "--features", store, "--checkpoint",
                                      checkpoint, "--out", out, "--device", "cpu", "-q")
            verdicts["evaluator"] = reader_verdict(ground.call(evaluate, threads=1), out / "metrics.json")
            shutil.rmtree(out, ignore_errors=True)
    finally:
        path.write_bytes(content)
        stores.put(store)
    return alteration, verdicts


def verify_verdict(ended, store, file):
    """`found` when it exits with 1 and a finding names the file."""
    if ended.crashed:
        return f"crashed ({ended.code})"
    findings = [line for line in ended.out.splitlines() if line.startswith(f"{store}/")]
    if ended.code == 0:
        return "missed"
    if ended.code == 1 and any(file in line for line in findings):
        return "found"
    if ended.code == 1 and findings:
        return "another file named"
    return f"exit code {ended.code} without a finding"


def reader_verdict(ended, result):
    """`refused` when it exits with 1 and an error, and wrote no result."""
    if ended.crashed:
        return f"crashed ({ended.code})"
    if ended.code == 0:
        return "believed"
    if result.exists():
        return "refused after writing a result"
    return "refused" if ended.code == 1 and ended.error else f"exit code {ended.code} without an error"


def kind_of(file):
    """manifest, receipt, features, labels or rows."""
    return NAMES.get(file) or NAMES.get(file.split("-")[0], file.split("-")[0])


def tell(checks, tally, examples):
    """A line per kind of file and program, and the first examples of what went wrong."""
    for (kind, program), verdicts in sorted(tally.items()):
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        say(f"{kind}, {program}: {counts}")
    for (kind, program, verdict), descriptions in sorted(examples.items()):
        for description in descriptions[:EXAMPLES]:
            say(f"  {kind}, {program}, {verdict}: {description}")
        if len(descriptions) > EXAMPLES:
            say(f"  {kind}, {program}, {verdict}: and {len(descriptions) - EXAMPLES} more")
    for verdicts in tally.values():
        good = sum(verdicts[verdict] for verdict in GOOD)
        checks.passed += good
        checks.failed += sum(verdicts.values()) - good


def figures(tally, alterations):
    """How many alterations each program was shown, and how many it found or refused."""
    shown, good = Counter(), Counter()
    for (_, program), verdicts in tally.items():
        shown[program] += sum(verdicts.values())
        good[program] += sum(verdicts[verdict] for verdict in GOOD)
    words = {"verify": "found", "trainer": "refused", "evaluator": "refused"}
    parts = [f"{program} {word} {good[program]} of {shown[program]}" for program, word in words.items()
             if shown[program]]
    return f"{alterations} alterations: " + ", ".join(parts)
