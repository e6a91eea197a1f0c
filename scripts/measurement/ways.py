"""What scripts/bench can measure: each way gives an exit code."""

import shlex
import shutil

from measurement import processes
from measurement.ground import extraction_figures
from measurement.photographs import farm, repeated, warm
from measurement.rounds import Rounds, added, figures
from measurement.table import spread, times
from report import Failure


def stages(ground, options):
    """Each stage after the one that it needs."""
    images, count = photographs(ground)
    store, fitted, report = (ground.folder / name for name in ("store", "run", "report"))
    checkpoint = fitted / "best.safetensors"

    def evaluate():
        shutil.rmtree(report, ignore_errors=True)
        return call(ground, count, "evaluator", "evaluate", "--features", store, "--checkpoint", checkpoint, "--out",
                    report, "--device", "cpu")

    rounds = Rounds(ground, photographs=count)
    rounds.take({
        "extract": lambda: extract(ground, images, store),
        "verify": lambda: call(ground, count, "extractor", "verify", store),
        f"train, {options.epochs} epochs": lambda: fit(ground, store, fitted),
        "evaluate": evaluate,
        "predict": lambda: call(ground, count, "evaluator", "predict", "--checkpoint", checkpoint, "--weights",
                                ground.weights, "--precision", options.precision, "--device", "cpu", images),
    }, turn=False)
    return rounds.close()


def start(ground, _):
    """How long nothing takes, and how long one photograph."""
    images, store = ground.folder / "images", ground.folder / "store"
    repeated(ground.options.images, images, 1)
    rounds = Rounds(ground)

    def table():
        return ["start", "ms", "peak memory, MB"], [
            [name, spread(found["seconds"], 0, 1000), spread(found["peak_bytes"], 0, 1e-6)]
            for name, found in rounds.document["medians"].items()]

    rounds.table = table
    rounds.caption = ("Medians of {rounds} rounds, with minimum and maximum, of whole processes. One photograph is two "
                      "of them, `extract` and `verify`.")
    rounds.take({
        "extractor --help": lambda: call(ground, None, "extractor", "--help"),
        "one photograph, extracted and verified": lambda: added(
            extract(ground, images, store, "--allow-empty-class"), call(ground, None, "extractor", "verify", store)),
    })
    return rounds.close()


def scaling(ground, options):
    """Whether more photographs cost more than their number, in time or memory."""
    store, candidates = ground.folder / "store", {}
    for count in sorted(set(options.counts)):
        images = ground.folder / f"images-{count}"
        repeated(options.images, images, count)
        candidates[f"{count} photographs"] = lambda images=images: extract(ground, images, store)
    warm(images)
    names = list(candidates)
    middle, rounds = names[len(names) // 2], Rounds(ground)

    def table():
        header, rows = rounds.usual()
        base = rounds.median(middle, "peak_bytes")
        return [*header, f"memory ÷ that of {middle}"], [
            [*row, times(rounds.median(row[0], "peak_bytes") / base if base else None)] for row in rows]

    rounds.table = table
    rounds.take(candidates)
    return rounds.close()


def threads(ground, options):
    """The extraction with one set of options after another."""
    chosen = list(dict.fromkeys(options.options))
    if len(chosen) < 2:
        raise Failure(f"threads: expected --options at least twice, found it {len(chosen)} times",
                      'for instance --options="--batch-size 4" --options="--batch-size 16"')
    images, count = photographs(ground)
    rounds = Rounds(ground, photographs=count)
    # A name must not be empty, and what is not said is the default.
    named = {text.strip() or "defaults": shlex.split(text) for text in chosen}
    first = next(iter(named))
    rounds.compared = {name: first for name in named if name != first}
    rounds.take({name: lambda words=words: extract(ground, images, ground.folder / "store", *words)
                 for name, words in named.items()})
    return rounds.close()


def pair(ground, options):
    """Other programs against these, and whether they write the same bytes."""
    if options.against is None:
        raise Failure("pair: expected --against DIR, a folder with other programs")
    images, count = photographs(ground)
    folders = {"old": options.against, "new": options.programs}
    for folder in folders.values():
        for name in ("extractor", "trainer"):
            ground.program(name, folder)
    stores, fitted = ({age: ground.folder / f"{kind}-{age}" for age in folders} for kind in ("store", "run"))
    rounds = Rounds(ground, photographs=count, byte_equal={})
    rounds.compared = {"extract, new": "extract, old", "train, new": "train, old"}
    rounds.take({f"extract, {age}": lambda age=age: extract(ground, images, stores[age], programs=folders[age])
                 for age in folders})
    # Both train on one store: only the trainer differs.
    rounds.take({f"train, {age}": lambda age=age: fit(ground, stores["new"], fitted[age], folders[age])
                 for age in folders})
    equal = rounds.document["byte_equal"]
    equal["features"] = same_bytes(*stores.values(), "features-*.npy")
    equal["head"] = same_bytes(*fitted.values(), "best.safetensors")
    rounds.caption += " " + "; ".join(f"{what}: {'byte-equal' if same else 'other bytes'}"
                                      for what, same in equal.items()) + "."
    return rounds.close()


def photographs(ground):
    """Links to the photographs, read once, and their number."""
    images = ground.folder / "images"
    count = len(farm(ground.options.images, images, ground.options.images_limit))
    warm(images)
    return images, count


def extract(ground, images, store, *further, programs=None):
    """The options of the command line, then those of the candidate."""
    options = ground.options
    size = [] if options.image_size is None else ["--image-size", options.image_size]
    return extraction(ground.extract(images, store, "--precision", options.precision, *size, *further,
                                     programs=programs))


def extraction(measured):
    """Figures of a process that turned photographs into features."""
    found = extraction_figures(measured)
    return figures(measured, found["rows"],
                   total_rate=found["rows"] / found["total"] if found["total"] else None,
                   forward_rate=found["forward_rows"] / found["forward"] if found["forward"] else None)


def fit(ground, store, out, programs=None):
    shutil.rmtree(out, ignore_errors=True)
    return figures(processes.must("trainer fit", [
        ground.program("trainer", programs), "fit", "--features", store, "--out", out, "--epochs",
        ground.options.epochs, "--device", "cpu"]))


def call(ground, count, program, *arguments):
    return figures(processes.must(f"{program} {arguments[0]}", [ground.program(program), *arguments]), count)


def same_bytes(first, second, pattern):
    """Whether two folders hold the same files of a pattern."""
    names = [sorted(path.name for path in folder.glob(pattern)) for folder in (first, second)]
    return names[0] == names[1] and all(
        (first / name).read_bytes() == (second / name).read_bytes() for name in names[0])
