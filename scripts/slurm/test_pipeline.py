"""Tests of scripts/slurm/pipeline without Slurm: commands, scripts, quoting and errors."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import repository
from slurm import cluster, jobs

PIPELINE = Path(__file__).resolve().parent / "pipeline"


def options(**changes):
    given = dict(images=Path("/data/my photos"), features=Path("/features"), run=Path("/run"), logs=Path("/logs"),
                 programs=Path("/programs"), base=repository.BASE, weights=Path("/weights"),
                 name="photos-article", has_validation=False)
    return jobs.Options(**{**given, **changes})


def plan(**changes):
    return {job.key: job for job in jobs.plan(options(**changes))}


def command_of(job):
    """The program's words, as the shell of the job reads them."""
    line = next(line for line in job.script.splitlines() if line.endswith(" &"))
    return shlex.split(line[:-2])


def value(words, option):
    return words[words.index(option) + 1]


class Plan(unittest.TestCase):
    def test_without_validation_there_are_two_arrays_and_two_jobs(self):
        self.assertEqual(list(plan()), ["extract-train", "extract-test", "train", "evaluate"])
        words = command_of(plan()["train"])
        self.assertEqual(value(words, "--validation-split"), "0.3")
        self.assertNotIn("--validation", words)

    def test_validation_photographs_get_an_array_that_training_waits_for(self):
        found = plan(has_validation=True)
        self.assertEqual(list(found), ["extract-train", "extract-validation", "extract-test", "train", "evaluate"])
        self.assertEqual(found["train"].after, ("extract-train", "extract-validation"))
        words = command_of(found["train"])
        self.assertEqual(value(words, "--validation"), "/features/validation")
        self.assertNotIn("--validation-split", words)

    def test_training_does_not_wait_for_the_test_photographs(self):
        self.assertEqual(plan()["train"].after, ("extract-train",))
        self.assertEqual(plan()["evaluate"].after, ("extract-test", "train"))

    def test_training_goes_on_where_it_was_interrupted(self):
        self.assertIn("--resume", command_of(plan()["train"]))

    def test_every_task_is_told_how_many_there_are(self):
        self.assertEqual(value(command_of(plan(tasks=7)["extract-test"]), "--task-count"), "7")
        self.assertNotIn("--task-count", command_of(plan(tasks=1)["extract-test"]))

    def test_another_base_is_named_and_brings_its_weights_or_is_a_file_itself(self):
        self.assertNotIn("--base", command_of(plan()["extract-train"]))
        named = command_of(plan(base="other", weights=Path("/other"))["extract-train"])
        self.assertEqual((value(named, "--base"), value(named, "--weights")), ("other", "/other"))
        file = command_of(plan(base="/models/net.onnx")["extract-test"])
        self.assertEqual(value(file, "--base"), "/models/net.onnx")
        self.assertNotIn("--weights", file)

    def test_options_of_the_stages_arrive(self):
        found = plan(precision="fp32", seed=7, epochs=3, extract_options=("--strict",), train_options=("--hidden", "9"))
        self.assertEqual(value(command_of(found["extract-train"]), "--precision"), "fp32")
        self.assertEqual(command_of(found["extract-train"])[-3], "--strict")
        self.assertEqual(value(command_of(found["train"]), "--seed"), "7")
        self.assertEqual(command_of(found["train"])[-2:], ["--hidden", "9"])


class CommandLine(unittest.TestCase):
    def test_dependencies_name_the_jobs_and_never_hang(self):
        identifiers = {"extract-train": "11", "extract-test": "12", "train": "13"}
        words = jobs.command_line(plan()["evaluate"], identifiers)
        self.assertIn("--dependency=afterok:12:13", words)
        self.assertIn("--kill-on-invalid-dep=yes", words)
        self.assertNotIn("--dependency", " ".join(jobs.command_line(plan()["extract-train"], {})))

    def test_array_and_throttle_are_tasks_and_nodes(self):
        self.assertIn("--array=0-15%3", plan(tasks=16, nodes=3)["extract-train"].options)
        self.assertIn("--array=0-15", plan(tasks=16)["extract-train"].options)
        self.assertNotIn("--array", " ".join(plan()["train"].options))

    def test_resources_are_asked_for_by_every_job(self):
        wanted = dict(partition="short", account="us", cpus_per_task=8, memory="8G", gres="gpu:1",
                      sbatch_options=("--exclusive",))
        expected = {"--partition=short", "--account=us", "--cpus-per-task=8", "--mem=8G", "--gres=gpu:1", "--exclusive"}
        for job in plan(**wanted).values():
            self.assertLessEqual(expected, set(job.options))
            self.assertIn("OMP_NUM_THREADS=8", job.script)

    def test_training_has_a_time_limit_of_its_own(self):
        found = plan(time="30", train_time="2:00:00")
        self.assertIn("--time=30", found["extract-train"].options)
        self.assertIn("--time=2:00:00", found["train"].options)

    def test_a_per_cent_sign_in_the_folder_of_logs_is_no_number(self):
        self.assertIn("--output=/a%%A/train-%j.log", plan(logs=Path("/a%A"))["train"].options)

    def test_names_of_jobs_can_be_searched_for(self):
        self.assertEqual(jobs.job_name("a, b'c", "train"), "convbase-a__b_c-train")


class Script(unittest.TestCase):
    """The batch script, run by bash with a program and a scontrol of the test's own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "it's \"here\" & $HOME"
        self.folder.mkdir()

    def run_script(self, program, variables=None, requeues=2, array=True):
        executable(self.folder / "program", program)
        executable(self.folder / "scontrol", f"#!/bin/sh\necho \"$@\" >{shlex.quote(str(self.folder))}/scontrol.log\n")
        itself = jobs.ARRAY_TASK if array else jobs.WHOLE_JOB
        text = jobs.script("name", [self.folder / "program", "a b", "'"], itself, options(requeues=requeues))
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}", "SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "5",
                       "SLURM_ARRAY_TASK_ID": "3", **(variables or {})}
        return subprocess.run(["bash"], input=text, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=30)

    def requeued(self):
        log = self.folder / "scontrol.log"
        return log.read_text().strip() if log.exists() else None

    def test_words_reach_the_program_as_they_are(self):
        result = self.run_script("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
        self.assertEqual((result.stdout, result.returncode), ("<a b><'>", 0))

    def test_the_exit_code_is_the_programs(self):
        self.assertEqual(self.run_script("#!/bin/sh\nexit 3\n").returncode, 3)
        self.assertEqual(self.run_script("#!/bin/sh\nkill -KILL $$\n").returncode, 128 + signal.SIGKILL)
        self.assertIsNone(self.requeued())

    def test_a_task_that_was_warned_stops_and_is_queued_again(self):
        result = self.run_script(WARNED)
        self.assertEqual((result.returncode, self.requeued()), (75, "requeue 5_3"))

    def test_a_job_that_is_no_array_is_queued_again_by_its_number(self):
        self.run_script(WARNED, array=False)
        self.assertEqual(self.requeued(), "requeue 9")

    def test_a_cancelled_task_is_not_queued_again(self):
        result = self.run_script(CANCELLED)
        self.assertEqual((result.returncode, self.requeued()), (75, None))

    def test_a_task_is_not_queued_again_for_ever(self):
        result = self.run_script(WARNED, variables={"SLURM_RESTART_COUNT": "2"})
        self.assertEqual((result.returncode, self.requeued()), (75, None))
        self.assertIn("hint: ", result.stderr)

    def test_a_program_that_finishes_after_the_warning_is_done(self):
        self.assertEqual(self.run_script(WARNED_TOO_LATE).returncode, 0)
        self.assertIsNone(self.requeued())


# Signals the batch shell as Slurm would, waits for what that sends on, and stops at its safe point.
SIGNALLED = """\
#!{python}
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getppid(), signal.{name})
sys.exit({code} if not {waits} or signal.sigtimedwait([signal.SIGTERM], 20) else 9)
"""
WARNED = SIGNALLED.format(python=sys.executable, name="SIGUSR1", waits=True, code=75)
WARNED_TOO_LATE = SIGNALLED.format(python=sys.executable, name="SIGUSR1", waits=True, code=0)
CANCELLED = SIGNALLED.format(python=sys.executable, name="SIGTERM", waits=False, code=75)


class Submission(unittest.TestCase):
    """The command itself, with an sbatch and a squeue that only write down what they are asked."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.commands, self.programs, self.images = (self.folder / name for name in ("bin", "programs", "images"))
        for made in (self.commands, self.programs, self.images / "train", self.images / "test"):
            made.mkdir(parents=True)
        for name in ("extractor", "trainer", "evaluator"):
            executable(self.programs / name, "#!/bin/sh\n")
        (self.folder / "weights").touch()
        self.slurm_answers()

    def slurm_answers(self, queue="", refuses="nothing"):
        """Numbers jobs from 1, and refuses those whose options contain a word."""
        log = shlex.quote(str(self.folder / "log"))
        executable(self.commands / "sbatch", f"""#!/bin/sh
case "$*" in *{refuses}*) echo "sbatch: error: no such partition" >&2; exit 1 ;; esac
cat >/dev/null; echo "$*" >>{log}; wc -l <{log}\n""")
        executable(self.commands / "squeue", f"#!/bin/sh\nprintf '{queue}'\n")
        executable(self.commands / "scancel", f"#!/bin/sh\necho \"scancel $*\" >>{log}\n")

    def submit(self, *words, path=None):
        command = [sys.executable, str(PIPELINE), "--images", str(self.images), "--programs", str(self.programs),
                   "--weights", str(self.folder / "weights"), "--logs", str(self.folder / "logs"), *words]
        path = path or f"{self.commands}:{os.environ['PATH']}"
        return subprocess.run(command, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30)

    def log(self):
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    def test_jobs_and_what_they_wait_for_are_told(self):
        result = self.submit()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[:4], [
            "extract-train: job 1, 4 tasks", "extract-test: job 2, 4 tasks", "train: job 3, after 1",
            "evaluate: job 4, after 2, 3"])
        self.assertIn("--dependency=afterok:2:3", self.log()[3])

    def test_a_dry_run_submits_and_creates_nothing(self):
        result = self.submit("--dry-run", path="/usr/bin:/bin")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("'--dependency=afterok:<extract-train>'", result.stdout)
        self.assertEqual((self.log(), (self.folder / "logs").exists()), ([], False))

    def test_name_and_recipe_are_those_of_just_pipeline(self):
        for words, name, preprocess in (((), "images-article", "rescale"), (("--recipe", "native"), "images-native", "auto"),
                                        (("--base", "other"), "images-other-native", "auto"),
                                        (("--base", "net.onnx", "--recipe", "article"), "images-net-article", "rescale")):
            shown = self.submit("--dry-run", *words).stdout
            self.assertIn(f"/data/features/{name}/train ", shown, words)
            self.assertIn(f"--preprocess {preprocess} ", shown, words)

    def test_jobs_that_were_submitted_are_taken_back_when_a_later_one_is_refused(self):
        self.slurm_answers(refuses="--time=9")
        result = self.submit("--train-time", "9")
        self.assert_failure(result, 1, "sbatch of train: expected success, found: no such partition")
        self.assertEqual(self.log()[-1], "scancel 1 2")

    def test_a_run_that_is_still_in_the_queue_is_refused(self):
        self.slurm_answers(queue="12_[0-3] convbase-images-article-extract-train PENDING\\n13 x RUNNING\\n")
        result = self.submit()
        self.assert_failure(result, 1, "2 jobs of this run are still in the queue")
        self.assertIn("`scancel 12 13`", result.stderr)
        self.assertEqual(self.log(), [])

    def test_a_folder_without_train_and_test_is_refused(self):
        (self.images / "test").rmdir()
        self.assert_failure(self.submit(), 1, "expected a folder `test`")

    def test_programs_and_weights_that_are_missing_are_named(self):
        (self.programs / "trainer").unlink()
        self.assert_failure(self.submit(), 1, "trainer`: expected the program, found none")
        self.assert_failure(self.submit("--programs", str(self.folder / "none")), 1, "none/extractor`")
        executable(self.programs / "trainer", "")
        (self.folder / "weights").unlink()
        self.assert_failure(self.submit(), 1, f"expected the weights of {repository.BASE}, found none")

    def test_a_machine_without_slurm_is_told_so(self):
        self.assert_failure(self.submit(path=str(self.folder)), 1, "sbatch: expected Slurm's commands on PATH")

    def test_wrong_words_are_usage(self):
        for words in (["--tasks", "0"], ["--recipe", "other"], ["--epochs", "two"], ["--extract-options", "'"],
                      ["--unknown"]):
            self.assert_failure(self.submit(*words), 2, "pipeline: ")

    def assert_failure(self, result, code, words):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(words, result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual([line.split(": ")[0] for line in lines], ["pipeline", "hint"], result.stderr)


class Cluster(unittest.TestCase):
    def test_ports_are_all_different(self):
        self.assertEqual(len(set(cluster.free_ports(8))), 8)

    def test_nothing_of_an_outer_slurm_reaches_the_private_one(self):
        kept = os.environ.get("SLURM_CONF")
        os.environ["SLURM_CONF"] = "/etc/slurm/slurm.conf"
        self.addCleanup(lambda: os.environ.pop("SLURM_CONF") if kept is None else os.environ.update(SLURM_CONF=kept))
        self.assertEqual(cluster.Cluster("/private", 2).environment["SLURM_CONF"], "/private/slurm.conf")


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)
