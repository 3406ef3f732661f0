#!/usr/bin/env python3
"""gap.py ADDRESS PORT SECONDS: opens a TCP connection every 2 ms and prints, as one line, the
longest time in milliseconds between two that succeeded, how many failed or got no answer, and the
longest time in milliseconds that one took to be open."""
import errno
import selectors
import socket
import sys
import time

address, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
waiting = selectors.DefaultSelector()
begin = last = time.monotonic()
end = begin + seconds
due = begin
worst = slowest = opened = done = 0
while (now := time.monotonic()) < end:
    if now >= due:
        due += 0.002
        probe = socket.socket(family, socket.SOCK_STREAM)
        probe.setblocking(False)
        if probe.connect_ex((address, port)) in (0, errno.EINPROGRESS):
            waiting.register(probe, selectors.EVENT_WRITE, now)
            opened += 1
        else:
            probe.close()
    for key, _ in waiting.select(max(0.0, due - time.monotonic())):
        begun = key.data
        if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            now = time.monotonic()
            worst, last, done = max(worst, now - last), now, done + 1
            slowest = max(slowest, now - begun)
        waiting.unregister(key.fileobj)
        # Reset rather than FIN, so that no port waits in TIME_WAIT.
        key.fileobj.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        key.fileobj.close()
worst = max(worst, end - last)
print(f"{worst * 1000:.0f} {opened - done} {slowest * 1000:.0f}")
