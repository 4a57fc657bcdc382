"""The benchmark's table, as Markdown: table.py FOLDER PROGRAM reads FOLDER/runs.tsv and the logs beside it."""

import json
import os
import re
import sys
from collections import defaultdict
from statistics import median

folder, program = sys.argv[1:3]

# How many times faster than each of them Chainwright is to be.
WANTED = {
    "cold": {"ansible": 80, "mitogen": 12, "pyinfra": 6},
    "second": {"ansible": 200, "mitogen": 30, "pyinfra": 15},
}
MEMORY = {"controller": 60, "agent": 12}  # MB, at most
FLOOR = 1.5  # times the floor, and the commands' own time
INTERNAL = {"floor", "commands", "first-ever", "account", "memory"}
TITLES = {"lan": "All hosts", "slow": "One host behind the slow link"}

runs = defaultdict(list)
memory = defaultdict(int)
processor = defaultdict(list)
with open(f"{folder}/runs.tsv", encoding="utf-8") as lines:
    for line in lines:
        link, tool, phase, seconds, busy, kib = line.rstrip("\n").split("\t")
        runs[link, tool, phase].append(float(seconds))
        processor[link, tool, phase].append(float(busy))
        memory[link, tool] = max(memory[link, tool], int(kib))


def events(link, name):
    """A run's events; none if it was not made."""
    try:
        with open(f"{folder}/{link}-{name}.log", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.startswith("{")]
    except FileNotFoundError:
        return []


def verdict(holds):
    return "yes" if holds else "NO"


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def speeds(link, phase):
    tools = [tool for (at, tool, then) in runs if (at, then) == (link, phase) and tool not in INTERNAL]
    ours = runs.get((link, "chainwright", phase))
    print(f"\n{TITLES[link]}, {phase} run, seconds\n")
    row("tool", "min", "median", "max", "processor here", "Chainwright is faster by", "wanted", "reached")
    row(*["---"] * 8)
    for tool in tools:
        times = runs[link, tool, phase]
        figures = [f"{figure:.2f}" for figure in (min(times), median(times), max(times), median(processor[link, tool, phase]))]
        wanted = WANTED[phase].get(tool)
        ratio = median(times) / median(ours) if ours and tool != "chainwright" else None
        reached = verdict(ratio >= wanted) if ratio and wanted else ""
        row(tool, *figures, f"{ratio:.1f}" if ratio else "", wanted or "", reached)


def distance(link):
    """How far it is from what ssh alone needs."""
    for phase in ("cold", "second"):
        ours = runs.get((link, "chainwright", phase))
        if not ours:
            continue
        floor = median(runs[link, "floor", phase])
        commands = max(0.0, median(runs[link, "commands", "second"]) - median(runs[link, "floor", "second"]))
        allowed = FLOOR * floor + commands
        row(
            f"{TITLES[link]}, {phase}: floor / commands' own time / {FLOOR} x floor + commands / measured",
            f"{floor:.2f} / {commands:.2f} / {allowed:.2f} / {median(ours):.2f} s",
            verdict(median(ours) <= allowed),
        )


def traffic(link):
    for phase in ("cold", "second"):
        for event in events(link, f"account-{phase}"):
            if event["event"] == "run_ended":
                sent, received = event["bytes"]
                row(
                    f"{TITLES[link]}, {phase}: round trips; bytes to hosts, from hosts",
                    f"{event['round_trips']}; {sent:,}, {received:,}",
                    "",
                )


def agent_memory(link):
    found = [
        int(peak)
        for event in events(link, "memory-cold")
        if event["event"] == "step_done"
        for peak in re.findall(r"VmHWM:\s*(\d+) kB", event["result"].get("stdout", ""))
    ]
    return max(found, default=None)


def costs(links):
    print("\nCosts of Chainwright\n")
    row("what", "measured", "reached")
    row("---", "---", "---")
    for link in links:
        distance(link)
    for link in links:
        traffic(link)
        once = runs.get((link, "first-ever", "cold"))
        if once:
            row(f"{TITLES[link]}, first run ever of a new version (packs the agent)", f"{once[0]:.2f} s", "")
    peaks = {
        "controller": max((memory[link, "chainwright"] for link in links), default=0),
        "agent": max((agent_memory(link) or 0 for link in links), default=0),
    }
    for who, kib in peaks.items():
        if kib:
            row(f"peak memory of the {who}, under {MEMORY[who]} MB", f"{kib / 1000:.1f} MB", verdict(kib < MEMORY[who] * 1000))
    row("binary", f"{os.path.getsize(program) / 1e6:.1f} MB", "")


def others():
    names = sorted({tool for _, tool in memory if tool not in INTERNAL | {"chainwright"}})
    peaks = [f"{tool} {max(kib for (_, name), kib in memory.items() if name == tool) / 1000:.0f} MB" for tool in names]
    if peaks:
        print(f"\nLargest process of the others on the controller: {', '.join(peaks)}.")


with open(f"{folder}/about.txt", encoding="utf-8") as about:
    print(about.read(), end="")
links = list(dict.fromkeys(link for link, _, _ in runs))
for link in links:
    for phase in ("cold", "second"):
        speeds(link, phase)
costs(links)
others()
