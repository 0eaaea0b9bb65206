package kernel

//go:noescape
func runRows(kernel int, args *rowsArgs)

// run calls a kernel of a level above the portable one. The block is used up.
func (a *rowsArgs) run(level Level, k rowsKernel) {
	a.one = 1
	kernel := 2 * int(k)
	if level >= AVX512 {
		kernel++
	}
	runRows(kernel, a)
}
