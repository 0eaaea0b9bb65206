"""Writes the words in sobol_test.go: 2^32 times the points 7, 100 and 100000 in 21 dimensions by SciPy 1.15.3.
The sequence starts over for each, so that only the point itself is taken."""
from scipy.stats import qmc

for i in (7, 100, 100000):
    q = qmc.Sobol(21, scramble=False, bits=32)
    q.fast_forward(i)
    print("%d: {%s}," % (i, ", ".join("0x%08x" % int(x * 2**32) for x in q.random(1)[0])))
