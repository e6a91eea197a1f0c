"""`stress tasks`: many tasks on several copies make the store that one run makes."""

from endurance.ground import difference
from report import say

TASKS, COPIES = 7, 3


def tasks(ground, options):
    """Each round deals the tasks to the copies anew, in a new order, and merges the copies with cp."""
    images, checks, rounds = ground.images(100), ground.checks, options.runs or 3
    single = ground.folder / "single"
    shape = ("--shard-size", "4")
    ground.must(ground.extract(images, single, *shape))
    for number in range(1, rounds + 1):
        folder = ground.folder / f"round-{number}"
        dealt = deal(ground.chance)
        for task, copy in dealt:
            ground.must(ground.extract(images, folder / f"copy-{copy}", *shape, "--task-index", task,
                                       "--task-count", TASKS))
        merged = folder / "merged"
        merged.mkdir()
        for copy in ground.chance.sample(range(COPIES), COPIES):
            ground.must(["cp", "-R", f"{folder / f'copy-{copy}'}/.", str(merged)])
        wrong = difference(single, merged)
        verified = ground.call(ground.command("extractor", "verify", merged))
        order = ", ".join(f"{task} on {'ABC'[copy]}" for task, copy in dealt)
        say(f"round {number}/{rounds}: tasks {order}: {wrong or 'byte-equal'}")
        checks.that(wrong is None, f"round {number}: {wrong}")
        checks.that(verified.code == 0, f"round {number}: verify: {verified.out.strip()}")
    files = sum(1 for _ in single.iterdir())
    return checks.close(f"{rounds} rounds of {TASKS} tasks on {COPIES} copies, {files} files each")


def deal(chance):
    """Pairs of task and copy: every task once, in random order, no copy without a task."""
    order = chance.sample(range(TASKS), TASKS)
    copies = list(range(COPIES)) + [chance.randrange(COPIES) for _ in range(TASKS - COPIES)]
    chance.shuffle(copies)
    return list(zip(order, copies))
