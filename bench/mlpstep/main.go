// Command mlpstep is Seraph's side of bench/mlp_step.py: training steps of an MLP 500-512-512-40 at batch 4,096 with Adam.
//
//	f32|bf16 THREADS CALLS    seconds a step takes, over so many steps
package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seraph-ml/seraph/bench/worker"
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

const features, hidden, classes, batch, batches = 500, 512, 40, 4096, 8

// trainer is the model with the batches that it takes by turns.
type trainer struct {
	session *program.Session
	step    *program.Execution
	x, y    *program.Value
	data    [batches][]float32
	labels  [batches][]int32
	turn    int
}

func main() {
	trainers := map[string]*trainer{}
	worker.Serve(func(words []string) (any, error) {
		if len(words) != 3 {
			return nil, fmt.Errorf("%q: expected precision, threads and calls", words)
		}
		threads, err := strconv.Atoi(words[1])
		if err != nil {
			return nil, err
		}
		calls, err := strconv.Atoi(words[2])
		if err != nil {
			return nil, err
		}
		key := words[0] + " " + words[1]
		if trainers[key] == nil {
			if trainers[key], err = newTrainer(words[0] == "bf16", threads); err != nil {
				return nil, err
			}
		}
		return trainers[key].run(calls)
	})
}

func newTrainer(bf16 bool, threads int) (*trainer, error) {
	p := program.New("mlp")
	t := &trainer{
		x: p.External("x", tensor.F32(tensor.Of(batch, features)...)),
		y: p.External("y", tensor.I32(tensor.Of(batch)...)),
	}
	mlp := nn.MLP{Hidden: hidden, Out: classes, Layers: 3, BF16: bf16}
	loss, _ := p.CrossEntropy(mlp.Apply(p, "mlp", t.x, true), t.y)
	p.Output(loss)
	lr := optim.Minimize(p, loss, optim.DefaultAdam, 0, optim.Group{Params: p.Parameters()}).LR
	compiled, err := program.Compile(p, program.Options{Workers: threads})
	if err != nil {
		return nil, err
	}
	if t.session, err = program.Start(kernel.NewPool(threads), compiled); err != nil {
		return nil, err
	}
	t.session.Initialize(1)
	t.step = t.session.Execution(compiled)
	t.step.Tensor(lr).Float32s()[0] = 1e-3
	r := rand.New(rand.NewPCG(1, 2))
	for i := range batches {
		t.data[i] = make([]float32, batch*features)
		for k := range t.data[i] {
			t.data[i][k] = float32(r.NormFloat64())
		}
		t.labels[i] = make([]int32, batch)
		for k := range t.labels[i] {
			t.labels[i][k] = int32(r.IntN(classes))
		}
	}
	return t, nil
}

// run makes one step that does not count, then calls steps, and returns the seconds that one took.
func (t *trainer) run(calls int) (float64, error) {
	if err := t.once(); err != nil {
		return 0, err
	}
	began := time.Now()
	for range calls {
		if err := t.once(); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds() / float64(calls), nil
}

func (t *trainer) once() error {
	t.step.Tensor(t.x).Bind(t.data[t.turn%batches])
	t.step.Tensor(t.y).BindInt32(t.labels[t.turn%batches])
	t.turn++
	t.session.Step++
	return t.step.Run()
}
