"""Runs a command and appends what it took: measure.py FILE LINK TOOL PHASE LOG COMMAND...

A line has, separated by tabs: link, tool, phase, seconds, processor seconds, KiB of the largest process. The command's
output goes to LOG. Exits as the command did.
"""

import os
import sys
import time

table, link, tool, phase, log = sys.argv[1:6]
command = sys.argv[6:]

output = (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
begin = time.monotonic()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=files)
_, status, usage = os.wait4(child, 0)
seconds = time.monotonic() - begin

code = os.waitstatus_to_exitcode(status)
if code == 0:
    row = [link, tool, phase, f"{seconds:.4f}", f"{usage.ru_utime + usage.ru_stime:.2f}", str(usage.ru_maxrss)]
    with open(table, "a", encoding="utf-8") as lines:
        lines.write("\t".join(row) + "\n")
sys.exit(code if code >= 0 else 128 - code)
