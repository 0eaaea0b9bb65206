/* The triad of McCalpin's STREAM, a[i] = b[i] + s*c[i], in float32, as the yardstick of memory bandwidth.
 * Reads lines "ELEMENTS THREADS CALLS" and answers each with the seconds one pass took. 12 bytes an element are counted.
 */
#define _POSIX_C_SOURCE 200112L
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

static float *a, *b, *c;
static long size;

static int grow(long n) {
	if (n <= size)
		return 0;
	free(a), free(b), free(c);
	size = 0;
	if (posix_memalign((void **)&a, 1 << 21, n * sizeof *a) || posix_memalign((void **)&b, 1 << 21, n * sizeof *b) ||
	    posix_memalign((void **)&c, 1 << 21, n * sizeof *c))
		return -1;
#pragma omp parallel for
	for (long i = 0; i < n; i++)
		a[i] = 0, b[i] = 1 + i % 7, c[i] = 2;
	size = n;
	return 0;
}

static void triad(long n, float s) {
#pragma omp parallel for schedule(static)
	for (long i = 0; i < n; i++)
		a[i] = b[i] + s * c[i];
}

int main(void) {
	long n;
	int threads, calls;
	while (scanf("%ld %d %d", &n, &threads, &calls) == 3) {
		omp_set_num_threads(threads);
		if (grow(n)) {
			printf("error: no memory for %ld elements\n", n);
			fflush(stdout);
			continue;
		}
		triad(n, 3);
		double start = omp_get_wtime();
		for (int i = 0; i < calls; i++)
			triad(n, 3 + i);
		double seconds = (omp_get_wtime() - start) / calls;
		if (a[n / 2] != b[n / 2] + (3 + calls - 1) * c[n / 2])
			printf("error: wrong sum\n");
		else
			printf("%.9g\n", seconds);
		fflush(stdout);
	}
	return 0;
}
