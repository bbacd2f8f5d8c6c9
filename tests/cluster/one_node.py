"""A Slurm cluster of one node on this machine, for as long as a command runs: munged, slurmctld and slurmd.

It has its own folder, key and ports, keeps no accounts and needs no cgroups, so any user may bring it up beside another
one. What it runs dies with it.

    python tests/cluster/one_node.py jwrules run demo/uncal --references demo/references --output demo --profile slurm
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
MARK = "JWRULES_TEST_CLUSTER"
"""Environment variable of everything that runs on the cluster: its folder."""
PATIENCE = 30.0
"""Seconds for the cluster to come up, and for its jobs to end."""

CONFIGURATION = """\
ClusterName=jwrules
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={root}/munge/socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SlurmdParameters=config_overrides
KillWait=2
MinJobAge=3600
ReturnToService=2
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
"""


def missing() -> list[str]:
    """Return the programs that a cluster needs and that are not installed."""
    return [name for name in (*DAEMONS, *CLIENTS) if not _program(name)]


def _program(name: str) -> str | None:
    """Return where a program is; daemons are often outside of what users search."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


class OneNode:
    """The cluster, as a context; `environment` is for what submits to it."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="slurm-"))
        self._daemons: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """Variables for what submits: its programs are found first, and each of them knows its cluster."""
        path = os.pathsep.join([str(self.root / "bin"), os.environ["PATH"]])
        return {**os.environ, "PATH": path, MARK: str(self.root)}

    def __enter__(self) -> OneNode:
        try:
            self._configure()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError, subprocess.SubprocessError):
            self.call("scancel", "--full", f"--user={os.getuid()}")
            self._wait_until(lambda: not self.call("squeue", "--noheader"))
        for daemon in reversed(self._daemons):
            daemon.terminate()
        _end(self._daemons)
        self._end_leftovers()
        shutil.rmtree(self.root, ignore_errors=True)

    def call(self, *command: str) -> str:
        """Run a program of Slurm on this cluster; return what it prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=20)
        return done.stdout

    def _configure(self) -> None:
        for folder in ("munge", "state", "spool", "bin"):
            (self.root / folder).mkdir(mode=0o700)
        (self.root / "munge" / "key").write_bytes(os.urandom(128))
        (self.root / "munge" / "key").chmod(0o600)
        text = CONFIGURATION.format(
            root=self.root, host=_host(), user=_user(), ports=_free_ports(2), cpus=os.cpu_count() or 1
        )
        (self.root / "slurm.conf").write_text(text)
        for name in CLIENTS:
            self._wrap(name)

    def _wrap(self, name: str) -> None:
        """Make a program know its cluster whatever becomes of the environment: Snakemake takes SLURM_* out of it."""
        script = self.root / "bin" / name
        script.write_text(f'#!/bin/sh\nSLURM_CONF={self.root}/slurm.conf exec {_program(name)} "$@"\n')
        script.chmod(0o700)

    def _start(self) -> None:
        munge = self.root / "munge"
        where = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        self._daemon("munged", "--foreground", "--force", *(f"--{key}={munge / name}" for key, name in where.items()))
        self._wait_until((munge / "socket").exists)
        configuration = str(self.root / "slurm.conf")
        self._daemon("slurmctld", "-D", "-f", configuration)
        self._daemon("slurmd", "-D", "-f", configuration)
        if not self._wait_until(lambda: self.call("sinfo", "--noheader", "--format=%T").strip() == "idle"):
            raise RuntimeError(f"the cluster did not come up:\n{self._said()}")

    def _daemon(self, name: str, *options: str) -> None:
        """Start a daemon that dies with this process, however that ends."""
        command = ["setpriv", "--pdeathsig", "KILL", _program(name) or name, *options]
        with (self.root / f"{name}.out").open("wb") as out:
            self._daemons.append(subprocess.Popen(command, stdout=out, stderr=out, env=self.environment))

    def _wait_until(self, holds: object) -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if holds():  # type: ignore[operator]
                return True
            if any(daemon.poll() is not None for daemon in self._daemons):
                return False
            time.sleep(0.1)
        return False

    def _said(self) -> str:
        files = [*self.root.glob("*.out"), *self.root.glob("*.log"), self.root / "munge" / "log"]
        return "\n".join(f"{path.name}:\n{path.read_text()[-2000:]}" for path in files if path.is_file())

    def _end_leftovers(self) -> None:
        """End what a job left running."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and process.environ().get(MARK) == str(self.root):
                    process.kill()


def _end(daemons: list[subprocess.Popen[bytes]]) -> None:
    for daemon in daemons:
        try:
            daemon.wait(timeout=5)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _user() -> str:
    return psutil.Process().username()


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def main() -> int:
    """Bring the cluster up, run the command of the command line in its environment, take it down."""
    if absent := missing():
        print(f"not installed: {', '.join(absent)} (Debian: slurm-wlm, munge)", file=sys.stderr)
        return 2
    with OneNode() as cluster:
        return subprocess.run(sys.argv[1:] or ["sinfo"], env=cluster.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
