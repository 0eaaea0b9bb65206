"""Measuring two programs side by side: interleaved rounds, medians, paired ratios, JSON lines.

A side is a function that takes a number of calls and returns the seconds one call took. In every round each side runs once,
in an order that rotates, so that whatever the machine does meanwhile hits all sides alike; the ratio of two sides is the
median over rounds of the ratio within the round. Imports nothing large: a parent's memory counts in its child's peak.
"""
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(BENCH)
SHARED = os.environ.get("SERAPH_TEST_DATA", os.path.join(os.path.dirname(REPOSITORY), "shared"))


def machine():
    """What the figures depend on: processor, cores, kernel, load."""
    model, flags = platform.machine(), set()
    with open("/proc/cpuinfo") as f:
        for line in f:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
    features = [x for x in ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16") if x in flags]
    return dict(processor=model, cores=len(os.sched_getaffinity(0)), features=features, kernel=platform.release(), load=os.getloadavg()[0])


class Results:
    """Prints each case and appends it as a JSON line to bench/results/NAME.jsonl."""

    def __init__(self, name, versions):
        os.makedirs(os.path.join(BENCH, "results"), exist_ok=True)
        self.name, self.path = name, os.path.join(BENCH, "results", name + ".jsonl")
        self.head = dict(bench=name, time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), versions=versions, machine=machine())
        m = self.head["machine"]
        print(f"{name}: {m['processor']}, {m['cores']} cores, {' '.join(m['features'])}; load {m['load']:.1f}")
        print("  " + ", ".join(f"{k} {v}" for k, v in versions.items()), flush=True)

    def add(self, case, values, unit, ratios, target=None, **more):
        """values: side -> figure in unit (more is better unless unit is a time); ratios: Seraph against each peer."""
        cells = "  ".join(f"{side} {v:.4g}" for side, v in values.items())
        against = "  ".join(f"{side} {r:.2f}x" for side, r in ratios.items())
        print(f"{case:44s} {cells} {unit} | Seraph against {against}" + (f" | wanted {target}" if target else ""), flush=True)
        line = dict(self.head, case=case, unit=unit, values=values, ratios=ratios, target=target, load_after=os.getloadavg()[0], **more)
        with open(self.path, "a") as f:
            f.write(json.dumps(line) + "\n")


def interleave(sides, repeats, block_seconds=0.05, pause=0.25):
    """sides: name -> f(calls) -> seconds a call. Returns (median seconds by side, times by side).

    The pause lets the idle threads of the side before stop spinning: OpenMP's and OpenBLAS's do so for up to 0.2 s.
    """
    calls = {}
    for name, f in sides.items():
        f(1)
        calls[name] = max(1, int(block_seconds / max(f(1), 1e-9)))
    times = {name: [] for name in sides}
    names = list(sides)
    for r in range(repeats):
        for name in names[r % len(names):] + names[:r % len(names)]:
            time.sleep(pause)
            times[name].append(sides[name](calls[name]))
    return {n: statistics.median(t) for n, t in times.items()}, times


def paired(times, side, peer):
    """How many times faster side is than peer: the median over rounds."""
    return statistics.median(p / s for s, p in zip(times[side], times[peer]))


def against_peers(times, side="seraph"):
    ratios = {peer: paired(times, side, peer) for peer in times if peer != side}
    if len(ratios) > 1:
        best = [min(t[r] for n, t in times.items() if n != side) for r in range(len(times[side]))]
        ratios["better of them"] = statistics.median(b / s for s, b in zip(times[side], best))
    return ratios


class Worker:
    """A warm process that answers each line with one line: a JSON value, or 'error: …'."""

    def __init__(self, command, env=None):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env=dict(os.environ, **(env or {})))

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command} ended with {self.process.wait()} on {words}")
        if line.startswith("error"):
            raise RuntimeError(f"{self.command}: {words}: {line.strip()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


_built = None


def build_dir():
    global _built
    if _built is None:
        _built = tempfile.mkdtemp(prefix="seraph-bench-")
    return _built


def clean():
    if _built:
        shutil.rmtree(_built, ignore_errors=True)


def build_go(package):
    """Builds ./package of the repository as a release does, and returns the program's path."""
    out = os.path.join(build_dir(), os.path.basename(package))
    subprocess.run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./" + package], cwd=REPOSITORY, check=True,
                   env=dict(os.environ, CGO_ENABLED="0"))
    return out


def build_c(source):
    """Compiles bench/source for this very processor."""
    out = os.path.join(build_dir(), os.path.splitext(source)[0])
    subprocess.run(["gcc", "-O3", "-march=native", "-fopenmp", "-o", out, os.path.join(BENCH, source)], check=True)
    return out


def go_version():
    return subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout.split()[2]


def versions(*packages):
    import importlib.metadata as metadata
    found = {p: metadata.version(p) for p in packages}
    found["python"], found["go"] = platform.python_version(), go_version()
    return found


def run_process(command, env=None):
    """Runs a command from start to end; returns (seconds, peak resident bytes, stdout). Raises where it fails."""
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})), text=True)
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-4000:]}")
        out.seek(0)
        return seconds, usage.ru_maxrss * 1024, out.read()


def last_json(text):
    """The last line of a program's output that is a JSON object."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise RuntimeError("no JSON line in: " + text[-2000:])


def shared(path):
    full = os.path.join(SHARED, path)
    if not os.path.exists(full):
        sys.exit(f"{full} is missing; SERAPH_TEST_DATA names the folder that holds data/")
    return full
