package program

import "github.com/seraph-ml/seraph/engine/kernel"

// elementwise is an operation whose result has the shape of its one or two operands, element i depending on element i of
// each alone.
type elementwise interface {
	Operation
	// elements returns a kernel with memory of its own.
	elements() elementKernel
}

// elementKernel computes a run of consecutive elements.
type elementKernel func(e *elements)

// elements is a run of consecutive elements of an elementwise operation.
type elements struct {
	dst    []float32
	in     [2][]float32
	offset int // of the first one in the whole array
	pool   *kernel.Pool
	key    kernel.Key // of the step; the stream is the operation's
}

// runElements is the kernel of an elementwise operation by itself.
func runElements(op elementwise) Kernel {
	k := op.elements()
	var e elements
	return KernelFunc(func(c *Call) error {
		e.dst, e.pool, e.key = c.Out[0].Float32s(), c.Pool, c.Key
		for i, x := range c.In {
			e.in[i] = x.Float32s()
		}
		k(&e)
		return nil
	})
}
