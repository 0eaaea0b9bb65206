//go:build !amd64

package kernel

// run is never called where every level is the portable one.
func (a *rowsArgs) run(Level, rowsKernel) { panic("kernel: no vector kernels for this processor") }
