package program

import (
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/tensor"
)

func TestSmoke(t *testing.T) {
	p := New("mlp")
	rows := p.Size("rows", 32)
	x := p.Input("x", tensor.F32(rows, tensor.Fixed(20)))
	y := p.Input("y", tensor.I32(rows))
	w1, b1 := p.Parameter("w1", nil, 33, 20), p.Parameter("b1", nil, 33)
	w2 := p.Parameter("w2", nil, 5, 33)
	h := p.Activate(p.Linear(x, w1, b1, false), kernel.GELU)
	h = p.Dropout(h, 0.5)
	logits := p.Linear(h, w2, nil, false)
	loss, _ := p.CrossEntropy(logits, y)
	p.Output(loss)
	grads := p.Differentiate(loss, w1, b1, w2)
	lr := p.Input("lr", tensor.F32())
	norm, scale := p.ClipNorm(1, grads...)
	p.Output(norm)
	for i, w := range []*Value{w1, b1, w2} {
		AdamW{0.9, 0.999, 1e-8, 0, true}.Update(p, w, grads[i], lr, scale)
	}
	c, err := Compile(p, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.String())
	t.Log(c.String())
	t.Log(c.Allocation.Report())
	s, err := Start(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	e := s.Execution(c)
	s.Step = 1
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { e.Run() }); n != 0 {
		t.Error(n)
	}
}
