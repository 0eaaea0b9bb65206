"""Coefficients of the approximations in gen/exp.go and gen/map.go, as float32.

    python engine/kernel/gen/testdata/polynomials.py        (mpmath 1.3.0, numpy 2.4.6)

Each is the best in the sense of the largest relative error (Remez exchange, 40 digits), with the leading coefficients fixed
where the function demands it. Coefficients are rounded to float32 one after the other, lowest power first, and those that
follow are fitted again; those of the quotient are then moved by single places of float32 as long as that helps. The error
printed is that of the rounded coefficients, evaluated exactly.
"""
import itertools
import struct

import mpmath
import numpy as np
from mpmath import mp, mpf

mp.dps = 40


def float32(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def exchange(f, basis, a, b, weight, grid=1000, rounds=60):
    """The coefficients c that minimise the largest |Σ c·basis(x) − f(x)|·weight(x) on [a, b], and that error."""
    n = len(basis)
    x = [(a + b) / 2 - (b - a) / 2 * mpmath.cos(mpmath.pi * k / grid) for k in range(grid + 1)]
    values = [[g(t) for g in basis] for t in x]
    target = [f(t) for t in x]
    weights = [weight(t) for t in x]
    at = [round(grid * k / n) for k in range(n + 1)]
    for _ in range(rounds):
        m, y = mp.matrix(n + 1, n + 1), mp.matrix(n + 1, 1)
        for r, i in enumerate(at):
            for j in range(n):
                m[r, j] = values[i][j]
            m[r, n] = (-1) ** r / weights[i]
            y[r] = target[i]
        c = list(mp.lu_solve(m, y))[:n]
        e = [(mpmath.fdot(c, v) - t) * w for v, t, w in zip(values, target, weights)]
        runs = [[0]]
        for i in range(1, grid + 1):
            if (e[i] > 0) == (e[runs[-1][-1]] > 0):
                runs[-1].append(i)
            else:
                runs.append([i])
        peaks = [max(run, key=lambda i: abs(e[i])) for run in runs]
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(e[peaks[0]]) < abs(e[peaks[-1]]) else -1)
        if len(peaks) < n + 1 or peaks == at:
            break
        at = peaks
    return c, max(map(abs, e))


def rounded(f, basis, a, b, weight):
    """exchange with coefficients that are float32."""
    fixed = []
    for i in range(len(basis)):
        rest = lambda t: f(t) - sum(c * g(t) for c, g in zip(fixed, basis))
        c, _ = exchange(rest, basis[i:], a, b, weight)
        fixed.append(float32(c[0]))
    return fixed


def powers(lo, hi):
    return [lambda t, k=k: t**k for k in range(lo, hi + 1)]


def report(name, coefficients, error):
    print(f"{name}: relative error 2^{float(mpmath.log(error, 2)):.1f}")
    for c in coefficients:
        bits = struct.unpack("I", struct.pack("f", float(c)))[0]
        print(f"\t{mpmath.nstr(c, 9)}  {bits:#010x}")


def worst(approximation, f, a, b, n=4000):
    return max(abs(approximation(t) / f(t) - 1) for t in (a + (b - a) * k / n for k in range(n + 1)) if f(t) != 0)


def exponential():
    """e^r = 1 + r + r²·(c₀ + c₁·r + … ) for |r| ≤ ½·ln 2."""
    h = mpmath.log(2) / 2 * mpf("1.0001")
    f = lambda r: mpmath.exp(r) - 1 - r
    c = rounded(f, powers(2, 6), -h, h, lambda r: mpmath.exp(-r))
    report("exp", c, worst(lambda r: 1 + r + sum(x * r ** (k + 2) for k, x in enumerate(c)), mpmath.exp, -h, h))


def logarithm():
    """ln(1 + e) = e·(1 + e·(c₀ + c₁·e + …)) for 0 ≤ e ≤ 1."""
    f = lambda e: mpmath.log1p(e)
    c = rounded(lambda e: f(e) - e, powers(2, 10), mpf("1e-9"), mpf(1), lambda e: 1 / f(e))
    report("log1p", c, worst(lambda e: e + sum(x * e ** (k + 2) for k, x in enumerate(c)), f, mpf("1e-9"), mpf(1)))


def tail():
    """Φ(−t)·e^(t²/2) = P(t)/Q(t) for 0 ≤ t ≤ 14.5, where Φ(−t) becomes less than the smallest float32."""
    b = mpf("14.5")
    f = lambda t: mpmath.exp(t * t / 2) * mpmath.erfc(t / mpmath.sqrt(2)) / 2
    top, bottom = 4, 5
    q = [mpf(1)]
    for _ in range(6):  # linearised: P − f·(Q − 1) = f, weighted with the last 1/Q
        last = list(q)
        weight = lambda t: 1 / (f(t) * mpmath.polyval(last[::-1], t))
        basis = powers(0, top) + [lambda t, k=k: -f(t) * t**k for k in range(1, bottom + 1)]
        c, _ = exchange(f, basis, mpf(0), b, weight)
        p, q = c[: top + 1], [mpf(1)] + c[top + 1 :]
    # Round Q, fit P to it, round P.
    q = [float32(x) for x in q]
    p = rounded(lambda t: f(t) * mpmath.polyval(q[::-1], t), powers(0, top), mpf(0), b, lambda t: 1 / (f(t) * mpmath.polyval(q[::-1], t)))
    p, q = polished(p, q, f, b)
    error = worst(lambda t: mpmath.polyval(p[::-1], t) / mpmath.polyval(q[::-1], t), f, mpf(0), b)
    report("tail, P", p, error)
    report("tail, Q", q, error)


def polished(p, q, f, b):
    """Moves one or two coefficients of P/Q at a time by a place of float32 while the largest error on [0, b] falls; the
    constant ones stay."""
    t = np.linspace(0, float(b), 1500)
    want = np.array([float(f(mpf(x))) for x in t])
    c = np.array([float(x) for x in p + q], np.float32)
    n = len(p)
    power = t[:, None] ** np.arange(max(n, len(q)))

    def error(c):
        c = c.astype(np.float64)
        return np.abs(power[:, :n] @ c[:n] / (power[:, : len(q)] @ c[n:]) / want - 1).max()

    free = [i for i in range(len(c)) if i not in (0, n)]
    moves = [((i, di),) for i in free for di in (-1, 1, -2, 2)]
    moves += [(a[0], b[0]) for a, b in itertools.combinations(moves, 2) if a[0][0] != b[0][0]]
    best = error(c)
    while True:
        tries = []
        for move in moves:
            d = c.copy()
            for i, steps in move:
                d[i] = (d[i : i + 1].view(np.int32) + steps).view(np.float32)[0]
            tries.append((error(d), d))
        e, d = min(tries, key=lambda x: x[0])
        if e >= best:
            return [mpf(float(x)) for x in c[:n]], [mpf(float(x)) for x in c[n:]]
        best, c = e, d


if __name__ == "__main__":
    high = float32(mpmath.log(2))
    report("ln 2 in two parts", [high, float32(mpmath.log(2) - high)], abs((high + float32(mpmath.log(2) - high)) / mpmath.log(2) - 1))
    exponential()
    logarithm()
    tail()
