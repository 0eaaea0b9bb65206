package program_test

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// A line is fitted to points by gradient descent: build, differentiate, plan, run.
func Example() {
	// Build. Shapes are known from here on; the number of points is a symbol with a bound.
	p := program.New("line")
	points := p.Size("points", 100)
	x := p.Input("x", tensor.F32(points, tensor.Fixed(1)))
	y := p.Input("y", tensor.F32(points, tensor.Fixed(1)))
	slope := p.Parameter("slope", nn.Zeros, 1, 1)
	offset := p.Parameter("offset", nn.Zeros, 1)
	off := p.Sub(p.Linear(x, slope, offset, false), y)
	loss := p.Output(p.Mean(p.Mul(off, off)))

	// Differentiate, and append an update for each parameter.
	lr := p.Input("lr", tensor.F32())
	for i, grad := range p.Differentiate(loss, slope, offset) {
		program.SGD{}.Update(p, p.Parameters()[i], grad, lr, nil)
	}

	// Plan. The first mistake made while building would surface here, if nobody asked before.
	compiled, err := program.Compile(p, program.Options{Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}

	// Run.
	pool := kernel.NewPool(2)
	defer pool.Close()
	session, err := program.Start(pool, compiled)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	session.Initialize(0)
	run := session.Execution(compiled)
	if err := run.SetSize("points", 4); err != nil {
		fmt.Println(err)
		return
	}
	for range 200 {
		copy(run.Tensor(x).Float32s(), []float32{-1, 0, 1, 2}) // every time: a run may use the memory of its inputs
		copy(run.Tensor(y).Float32s(), []float32{-1, 1, 3, 5})
		run.Tensor(lr).Float32s()[0] = 0.1
		if err := run.Run(); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("y = %.3f x + %.3f\n", run.Tensor(slope).Float32s()[0], run.Tensor(offset).Float32s()[0])
	// Output: y = 2.000 x + 1.000
}
