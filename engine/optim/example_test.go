package optim_test

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
)

// Minimize (x − 3)² with momentum and a learning rate that falls along a cosine.
func ExampleMinimize() {
	p := program.New("example")
	x := p.Parameter("x", nil, 1)
	three := p.Constant("three", x.Type)
	off := p.Sub(x, three)
	loss := p.Mean(p.Mul(off, off))
	training := optim.Minimize(p, loss, optim.SGD{Momentum: 0.5}, 0, optim.Group{Params: p.Parameters()})

	compiled, err := program.Compile(p, program.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := program.Start(nil, compiled)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	session.Initialize(0)
	session.Tensor("three").Float32s()[0] = 3

	const steps = 40
	schedule := optim.Cosine{Peak: 0.2, Steps: steps}
	run := session.Execution(compiled)
	for step := range steps {
		session.Step = uint64(step + 1)
		run.Tensor(training.LR).Float32s()[0] = float32(schedule.LR(step))
		if err := run.Run(); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("x = %.3f\n", session.Tensor("x").Float32s()[0])
	// Output: x = 3.000
}
