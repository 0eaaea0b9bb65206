"""Writes the values in ehvi_test.go: expected hypervolume improvement of two objectives, summed over strips of the first.
Python 3, standard library."""
from math import erfc, exp, inf, pi, sqrt


def excess(b, mu, s):
    z = (b - mu) / s
    return s * exp(-z * z / 2) / sqrt(2 * pi) + (b - mu) * erfc(-z / sqrt(2)) / 2


def ehvi(front, r, mu, s):
    front = sorted(front)
    x = [-inf] + [p[0] for p in front] + [r[0]]
    y = [r[1]] + [p[1] for p in front]
    e = [0.0] + [excess(b, mu[0], s[0]) for b in x[1:]]
    return sum((e[i + 1] - e[i]) * excess(y[i], mu[1], s[1]) for i in range(len(y)))


front = [(1, 3), (2, 2), (3, 1)]
for mu, s in [((1.5, 1.5), (0.5, 0.5)), ((3.5, 3.5), (0.5, 0.5)), ((0, 0), (1, 2)), ((2.5, 2.5), (1e-6, 1e-6)), ((1.5, 1.5), (1e-6, 1e-6))]:
    print(mu, s, repr(ehvi(front, (4, 4), mu, s)))
print(repr(ehvi([], (1, 1), (0, 0), (1, 1))))
