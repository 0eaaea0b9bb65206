package nn_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
	"github.com/seraph-ml/seraph/internal/recorded"
)

const oracle = "../../bench/oracle/testdata/mlp/"

// TestTenStepsOfAnMLPAgreeWithPyTorch runs bench/oracle/mlp_ten_steps.py's ten steps.
func TestTenStepsOfAnMLPAgreeWithPyTorch(t *testing.T) {
	text, err := os.ReadFile(oracle + "losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Widths   []int     `json:"widths"`
		Batch    int       `json:"batch"`
		Losses   []float64 `json:"losses_float64"`
		Training struct {
			LR float64 `json:"lr"`
		} `json:"training"`
		Final map[string][]float64 `json:"final_float64"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	data, init := recorded.Open(t, oracle+"data.safetensors"), recorded.Open(t, oracle+"init.safetensors")
	features := recorded.Values[float32](t, data, "features")
	labels := recorded.Values[int64](t, data, "labels")

	p := program.New("mlp")
	in := want.Widths[0]
	x := p.Input("x", tensor.F32(tensor.Of(want.Batch, in)...))
	y := p.Input("y", tensor.I32(tensor.Of(want.Batch)...))
	h := x
	for i, width := range want.Widths[1:] {
		leave := p.Scope("layers")
		h = nn.Linear{Out: width}.Apply(p, string(rune('0'+i)), h)
		leave()
		if i < len(want.Widths)-2 {
			h = nn.Activate(p, "", h, "relu")
		}
	}
	loss, _ := p.CrossEntropy(h, y)
	p.Output(loss)
	lr := optim.Minimize(p, loss, optim.DefaultAdam, 0, optim.Group{Params: p.Parameters()}).LR
	c, err := program.Compile(p, program.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := program.Start(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, v := range p.Parameters() {
		copy(s.Tensor(v.Name).Float32s(), recorded.Values[float32](t, init, v.Name))
	}
	e := s.Execution(c)
	used := 0.0
	for i, want64 := range want.Losses {
		copy(e.Tensor(x).Float32s(), features[i*want.Batch*in:])
		for k := range want.Batch {
			e.Tensor(y).Int32s()[k] = int32(labels[i*want.Batch+k])
		}
		e.Tensor(lr).Float32s()[0] = float32(want.Training.LR)
		s.Step++
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		got := float64(e.Tensor(loss).Float32s()[0])
		off := math.Abs(got-want64) / want64
		used = max(used, off)
		if !(off <= 1e-5) {
			t.Errorf("step %d: loss %.9g, PyTorch has %.9g", i+1, got, want64)
		}
	}
	for name, values := range want.Final {
		for i, w := range values {
			if g := float64(s.Tensor(name).Float32s()[i]); !(math.Abs(g-w) <= 2e-5) {
				t.Errorf("%s[%d] ends at %.7g, PyTorch's at %.7g", name, i, g, w)
			}
		}
	}
	t.Logf("largest relative difference of a loss %.1e of 1e-5", used)
}
