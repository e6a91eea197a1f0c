"""A Slurm of one node on 127.0.0.1, for the test: everything it writes lies in one private folder.

It reads no configuration of the machine and listens on free ports, so that a Slurm that is there already neither
notices it nor is noticed.
"""

import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from report import Failure

NODE = "node1"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
PACKAGES = ("slurm-wlm", "munge")

CONFIGURATION = """\
ClusterName=convbase
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
ReturnToService=2
KillWait=30
MinJobAge=3600
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs={processors} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""


def environment():
    """The process environment, with the folders in which Debian keeps daemons."""
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{path}:/usr/sbin:/sbin"}


def missing_programs():
    return [name for name in PROGRAMS if shutil.which(name, path=environment()["PATH"]) is None]


def install():
    """Installs Slurm with apt where that is allowed; returns why it is not there, or None when it is."""
    if not missing_programs():
        return None
    if shutil.which("apt-get") is None:
        return "Slurm is not installed, and there is no apt-get to install it"
    if os.geteuid() != 0:
        return "Slurm is not installed, and only root may install it: `apt-get install slurm-wlm munge`"
    # RUNLEVEL=1 keeps the packages from starting daemons of their own, which the test has no use for.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    update = ["apt-get", "-qq", "update"]
    packages = ["apt-get", "-qq", "-y", "--no-install-recommends", "install", *PACKAGES]
    for command in (update, packages):
        try:
            result = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            return f"`{' '.join(command)}` took more than ten minutes"
    missing = missing_programs()
    if missing:
        words = result.stdout.strip().splitlines()
        return f"apt-get brought no {', '.join(missing)}: {words[-1] if words else 'it said nothing'}"
    return None


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Cluster:
    """The three daemons. `start` returns when the node takes jobs; `stop` leaves no process behind."""

    def __init__(self, folder, processors):
        self.folder = Path(folder)
        self.processors = processors
        self.daemons = []
        self.environment = {name: value for name, value in environment().items()
                            if not name.startswith(("SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_"))}
        self.environment["SLURM_CONF"] = str(self.folder / "slurm.conf")

    def start(self):
        self.write_configuration()
        self.daemon("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key",
                    f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid",
                    f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munge.seed")
        self.wait_until("munged has no socket", lambda: (self.folder / "munge.socket").exists())
        self.daemon("slurmctld", "-D", "-f", self.environment["SLURM_CONF"])
        self.daemon("slurmd", "-D", "-N", NODE, "-f", self.environment["SLURM_CONF"])
        self.wait_until("the node does not become idle", self.is_idle)

    def write_configuration(self):
        controller_port, node_port = free_ports(2)
        for name in ("state", "spool"):
            (self.folder / name).mkdir(mode=0o755)
        text = CONFIGURATION.format(
            folder=self.folder, host=socket.gethostname().split(".")[0], user=getpass.getuser(), node=NODE,
            controller_port=controller_port, node_port=node_port, processors=self.processors)
        (self.folder / "slurm.conf").write_text(text, encoding="utf-8")
        # Without this file, slurmd looks for control groups, which a container may not have.
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n", encoding="utf-8")
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))

    def daemon(self, *command):
        with open(self.folder / f"{command[0]}.output", "wb") as output:
            self.daemons.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                                                 stdout=output, stderr=subprocess.STDOUT))

    def is_idle(self):
        return self.run("sinfo", "--noheader", "--format=%T", check=False).stdout.strip() == "idle"

    def wait_until(self, complaint, condition, seconds=60, pause=0.3):
        """Asks again and again until a condition holds; fails at a deadline, or when a daemon has ended."""
        deadline = time.monotonic() + seconds
        while not condition():
            for daemon in self.daemons:
                if daemon.poll() is not None:
                    raise Failure(f"{daemon.args[0]} ended with {daemon.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise Failure(f"{complaint} after {seconds} s: {self.last_words()}")
            time.sleep(pause)

    def last_words(self):
        """The last lines of each daemon's log: with the folder they are gone."""
        words = []
        for name in ("munged", "slurmctld", "slurmd"):
            for kind in ("output", "log"):
                path = self.folder / f"{name}.{kind}"
                lines = path.read_text(errors="replace").splitlines() if path.exists() else []
                words += [f"\n  {name}: {line}" for line in lines[-3:]]
        return "".join(words)

    def run(self, *command, check=True):
        """One of Slurm's commands, or the pipeline, with this cluster in its environment."""
        try:
            result = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True, timeout=60)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"`{command[0]}`: expected an answer in 60 s, found none: {self.last_words()}") from error
        if check and result.returncode != 0:
            raise Failure(f"`{command[0]}` ended with {result.returncode}: {result.stderr.strip()}")
        return result

    def stop(self):
        """Cancels what runs, then ends the daemons, the last first."""
        if len(self.daemons) == 3:
            try:
                self.run("scancel", "--full", "--signal=KILL", f"--user={getpass.getuser()}", check=False)
                self.run("scancel", f"--user={getpass.getuser()}", check=False)
                self.wait_until("jobs do not end", self.is_idle, seconds=20)
            except Failure:
                pass  # The daemons are ended all the same.
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons = []
