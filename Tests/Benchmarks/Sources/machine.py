"""What the measuring scripts share: running a command, and what a process costs."""

import os
import re
import signal
import subprocess


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


def end(process, number=signal.SIGTERM, patience=5):
    """Ends a process, the hard way when it does not within so many seconds."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_ticks(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def cpu_seconds(process):
    return cpu_ticks(process) / os.sysconf("SC_CLK_TCK")


def memory(process):
    """Resident, private and written, private and clean memory in MiB."""
    with open(f"/proc/{process.pid}/smaps_rollup") as file:
        sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.M))
    return (int(sizes["Rss"]) / 1024, int(sizes["Private_Dirty"]) / 1024,
            int(sizes["Private_Clean"]) / 1024)


def load_average():
    return os.getloadavg()[0]
