"""Which process am I, and is another one still alive?  Reads the operating system, nothing else."""

import os
import secrets
import socket
from pathlib import Path

from watcher.store.leases import Holder


def this_process() -> Holder:
    """Return this process as a holder of the lease."""
    return Holder(
        token=secrets.token_hex(16),
        host=socket.gethostname(),
        pid=os.getpid(),
        process_started=_life(os.getpid()),
    )


def is_dead(holder: Holder) -> bool:
    """Return whether a holder's process is certainly gone; False when that cannot be known.

    Process numbers are used again, so the moment of the start is compared as well; and they mean something only
    within one boot and one namespace of processes: a container's number 7 is not the machine's.
    """
    mine, theirs = _world(), holder.process_started
    if holder.host != socket.gethostname() or mine is None or theirs is None or not theirs.startswith(mine):
        return False
    return _life(holder.pid) != theirs


def _life(pid: int) -> str | None:
    """Return what tells this life of a process number from any other; None when the process is gone."""
    world = _world()
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # Field 22, counted behind the command's name, which may hold spaces and brackets.
    started = status.rpartition(")")[2].split()[19]
    return None if world is None else f"{world}:{started}"


def _world() -> str | None:
    """Return the name of this boot and namespace; None where there is no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:8]}:{Path('/proc/self/ns/pid').readlink().name.strip('pid:[]')}"
    except OSError:
        return None
