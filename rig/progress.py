# SPDX-License-Identifier: BSD-2-Clause
"""Long commands in sight: every ten seconds a line says how far they are."""
import collections
import subprocess
import threading
import time

EVERY_S = 10
TAIL_LINES = 40
COLUMNS = 80


def run(command, what, say, log=None, every_s=EVERY_S, **options):
    """Runs a command; (its exit status, its last lines). All it prints goes to the file `log`.
    A command that lasts has its last line said every `every_s` seconds, behind `what`."""
    tail = collections.deque(maxlen=TAIL_LINES)
    done = threading.Event()

    def watch():
        begin = time.monotonic()
        while not done.wait(every_s):
            last = next((line for line in reversed(tail) if line.strip()), "")
            say(f"{what}: {time.monotonic() - begin:.0f} s: {last.strip()}"[:COLUMNS])
    with subprocess.Popen(command, stdin=options.pop("stdin", None), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          **options) as process:
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            for line in process.stdout:
                tail.append(line)
                if log:
                    log.write(line)
        except BaseException:
            process.kill()
            raise
        finally:
            done.set()
            watcher.join()
    return process.returncode, "".join(tail)
