"""`stress mutations`: damaged pictures cost a row each, never the run."""

import json
import random
import resource
from collections import Counter

import repository
from endurance.identity import identity
from endurance.pictures import corpus
from report import say

COUNT = 20_000
# One process decodes so many, and has so long for all of them: none of them takes longer.
BATCH, PATIENCE = 100, 2.0
MOST_MEMORY = 1.5e9
SIZE = 16


def mutations(ground, options):
    """Bits flipped, parts cut out, files spliced: `check` in small batches for the time, `extract` over all of them."""
    checks, count = ground.checks, options.runs or COUNT
    seeds = [picture.content for picture in corpus(options.seed) if picture.content] + photographs(ground)
    images, chance = ground.folder / "images", random.Random(f"{options.seed} mutations")
    batches = []
    for number in range(count):
        if number % BATCH == 0:
            batches.append(images / f"{number // BATCH:04}" / "all")
            batches[-1].mkdir(parents=True)
        (batches[-1] / f"{number:06}.jpg").write_bytes(mutated(seeds, chance))
    slowest, tally = 0.0, Counter()
    for batch in batches:
        ended = ground.call(ground.command("extractor", "check", batch.parent, "--decode", "--json"))
        slowest = max(slowest, ended.seconds)
        checks.that(ended.code in (0, 1) and not ended.crashed, f"{batch.parent.name}: exit code {ended.code}: {ended.error}")
        checks.that(ended.seconds < PATIENCE, f"{batch.parent.name}: {ended.seconds:.1f} s for {BATCH} pictures")
        found = json.loads(ended.out)
        tally["rejected"] += len(found["rejected"])
        tally["doubtful"] += len(found["doubtful"])
        tally["photographs"] += found["photographs"]
    checks.that(tally["photographs"] == count, f"check: expected {count} photographs, found {tally['photographs']}")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    network, out = ground.folder / "identity.onnx", ground.folder / "store"
    network.write_bytes(identity(SIZE))
    ended = ground.must(ground.command(
        "extractor", "extract", "--images", images, "--out", out, "--base", network, "--interpolation", "nearest",
        "--preprocess", "mean=0,0,0/std=1,1,1", "--max-rejected", "1", "--log-format", "json", "-q", "-q"))
    checks.that(not ended.crashed, f"extract: {ended.error}")
    receipts = [json.loads(path.read_bytes()) for path in sorted(out.glob("shard-*.json"))]
    listed, rows, rejected = (sum(receipt[name] for receipt in receipts) for name in ("images", "rows", "rejected"))
    checks.that(listed == count == rows + rejected, f"expected {count} listed, found {listed} = {rows} + {rejected}")
    checks.that(rejected == tally["rejected"], f"check rejects {tally['rejected']}, extract {rejected}")
    whole = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    checks.that(max(memory, whole) < MOST_MEMORY, f"expected less than {MOST_MEMORY:.0f} bytes of memory, found {whole}")
    say(f"seed {options.seed}: {count} mutations of {len(seeds)} files: listed {listed} = embedded {rows} + rejected "
        f"{rejected}; {tally['doubtful']} doubtful")
    return checks.close(f"slowest {BATCH}: {slowest:.2f} s; peak memory: check {memory / 1e6:.0f} MB, any {whole / 1e6:.0f} MB")


def photographs(ground):
    """Real ones where there are any, else drawn ones."""
    prepared = repository.ROOT / "data/images/cats_vs_dogs_small/test"
    folder = ground.options.images or (prepared if prepared.is_dir() else ground.images(40))
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.read_bytes() for path in ground.chance.sample(paths, min(100, len(paths)))]


def mutated(seeds, chance):
    """One of the files, damaged."""
    content = bytearray(chance.choice(seeds))
    kind = chance.choice(("flips", "header flips", "truncation", "splice", "hole", "doubled"))
    if kind == "flips":
        for _ in range(chance.randint(1, 20)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == "header flips":
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(min(len(content), 64))] = chance.randrange(256)
    elif kind == "truncation":
        del content[chance.randrange(len(content)):]
    elif kind == "splice":
        other = chance.choice(seeds)
        content = content[:chance.randrange(len(content) + 1)] + other[chance.randrange(len(other)):]
    elif kind == "hole":
        start = chance.randrange(len(content))
        length = chance.randint(1, 200)
        content[start:start + length] = bytes(len(content[start:start + length]))
    else:
        start = chance.randrange(len(content))
        content[start:start] = content[start:start + chance.randint(1, 2000)]
    return bytes(content)
