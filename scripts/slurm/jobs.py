"""What is submitted: the jobs of a run, their options for sbatch and their scripts. Nothing here talks to Slurm."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Tuple

import repository

SPLITS = ("train", "validation", "test")
PREPARATIONS = {
    "article": "--preprocess rescale --interpolation nearest",
    "native": "--preprocess auto --interpolation bilinear",
}
# Slurm may signal a minute early, but not late; a batch or an epoch is over in less than two minutes.
WARNING_SECONDS = 120
INTERRUPTED = 75


@dataclass(frozen=True)
class Job:
    """One submission. `after` names the jobs whose success it waits for."""

    key: str
    name: str
    options: Tuple[str, ...]
    script: str
    tasks: int = 1
    after: Tuple[str, ...] = ()


def plan(options):
    """All jobs of a run, each after those it waits for."""
    splits = [split for split in SPLITS if split != "validation" or options.has_validation]
    return [*(extraction(options, split) for split in splits), training(options), evaluation(options)]


def extraction(options, split):
    words = [
        options.programs / "extractor", "extract", "--images", options.images / split,
        "--out", options.features / split, *repository.base_options(options.base, options.weights), *options.preparation,
        "--precision", options.precision, "--device", options.device, "--shard-size", options.shard_size,
        *options.extract_options,
    ]
    array = f"0-{options.tasks - 1}"
    if options.tasks > 1:
        # Said outright, the count stays what it is when one task is queued again, by Slurm or by hand.
        words += ["--task-count", options.tasks]
    if options.nodes:
        array += f"%{options.nodes}"
    return job(options, f"extract-{split}", words, array=array, time=options.time, tasks=options.tasks)


def training(options):
    words = [options.programs / "trainer", "fit", "--features", options.features / "train"]
    after = ["extract-train"]
    if options.has_validation:
        words += ["--validation", options.features / "validation"]
        after.append("extract-validation")
    else:
        words += ["--validation-split", "0.3"]
    # With --resume a run that was interrupted goes on, and one that is finished is left as it is.
    words += ["--out", options.run, "--epochs", options.epochs, "--seed", options.seed, "--device", options.device,
              "--resume", *options.train_options]
    return job(options, "train", words, time=options.train_time, after=after)


def evaluation(options):
    words = [options.programs / "evaluator", "evaluate", "--features", options.features / "test",
             "--checkpoint", options.run / "best.safetensors", "--out", options.run / "test",
             "--device", options.device]
    return job(options, "evaluate", words, time=options.train_time, after=["extract-test", "train"])


def job(options, key, words, array=None, time=None, tasks=1, after=()):
    name = job_name(options.name, key)
    number = "%A_%a" if array else "%j"
    logs = str(options.logs).replace("%", "%%")
    submitted = [f"--job-name={name}", f"--output={logs}/{key}-{number}.log", "--open-mode=append",
                 "--nodes=1", "--ntasks=1", "--requeue", f"--signal=B:USR1@{WARNING_SECONDS}"]
    wanted = {"array": array, "partition": options.partition, "account": options.account, "time": time,
              "cpus-per-task": options.cpus_per_task, "mem": options.memory, "gres": options.gres}
    submitted += [f"--{option}={value}" for option, value in wanted.items() if value is not None]
    submitted += options.sbatch_options
    text = script(name, words, ARRAY_TASK if array else WHOLE_JOB, options)
    return Job(key, name, tuple(submitted), text, tasks, tuple(after))


def job_name(run, key):
    """A name that squeue can search for: commas would separate names there."""
    return f"convbase-{re.sub('[^A-Za-z0-9._+-]', '_', run)}-{key}"


def command_line(job, identifiers):
    """The words that submit a job, given the identifiers of those submitted before it. The script goes to stdin."""
    words = ["sbatch", "--parsable", *job.options]
    if job.after:
        waits = ":".join(identifiers[key] for key in job.after)
        # After a failed task these jobs could never start: Slurm is to take them away, not to keep them for ever.
        words += [f"--dependency=afterok:{waits}", "--kill-on-invalid-dep=yes"]
    return words


def script(name, words, itself, options):
    """A batch script that runs one program, and queues itself again when its time ran out."""
    command = shlex.join(str(word) for word in words)
    threads = THREADS.format(count=options.cpus_per_task) if options.cpus_per_task else ""
    return SCRIPT.format(name=name, threads=threads, command=command, interrupted=INTERRUPTED, itself=itself,
                         requeues=options.requeues)


WHOLE_JOB = "$SLURM_JOB_ID"
# The number of an array's last task is also that of the whole array: alone, it would queue all tasks again.
ARRAY_TASK = "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"

THREADS = """\
# Not every cluster binds a task to its processors; unbound, each would use all of the node's.
export OMP_NUM_THREADS={count} RAYON_NUM_THREADS={count}
"""

SCRIPT = """\
#!/bin/bash
# {name}
{threads}
program= warned= signalled=yes
# Before the time limit Slurm signals this shell alone; the program then stops where it can go on.
trap 'signalled=yes warned=yes; [ -z "$program" ] || kill -TERM "$program"' USR1
# When a job is cancelled or preempted Slurm signals the program itself; a second signal would end it at once.
trap 'signalled=yes' TERM

{command} &
program=$!
# A signal (USR1: 138, TERM: 143) ends `wait` before the program has ended. Where the program ends in that very moment
# bash may lose its code and say -1: then it counts as interrupted, and another run finds out what is left to do.
while [ -n "$signalled" ]; do
    signalled=
    wait "$program"
    code=$?
    case "$code" in
        138 | 143) ;;
        -1) code={interrupted}; break ;;
        *) break ;;
    esac
done

if [ "$code" -eq {interrupted} ] && [ -n "$warned" ]; then
    if [ "${{SLURM_RESTART_COUNT:-0}}" -lt {requeues} ]; then
        echo "pipeline: the time limit is near: stopped at a safe point and queued again" >&2
        scontrol requeue "{itself}"
    else
        echo "pipeline: the time limit is near: stopped at a safe point, but queued again {requeues} times already" >&2
        echo "hint: submit the same command again, with a greater --time" >&2
    fi
fi
exit "$code"
"""


@dataclass(frozen=True)
class Options:
    """What the command line says, completed: absolute paths, words that are split, defaults that are filled in."""

    images: Path
    features: Path
    run: Path
    logs: Path
    programs: Path
    base: str
    weights: Path
    name: str
    has_validation: bool
    preparation: Tuple[str, ...] = ()
    precision: str = "auto"
    device: str = "auto"
    shard_size: int = 1024
    epochs: int = 32
    seed: int = 42
    tasks: int = 4
    nodes: int = None
    partition: str = None
    account: str = None
    time: str = None
    train_time: str = None
    cpus_per_task: int = None
    memory: str = None
    gres: str = None
    requeues: int = 20
    extract_options: Tuple[str, ...] = ()
    train_options: Tuple[str, ...] = ()
    sbatch_options: Tuple[str, ...] = ()
