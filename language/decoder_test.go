package language

import (
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// TestPresetsHaveTheirParameters counts by hand: token and position tables, twelve squares of the width and two gains a
// layer, a last gain; nanoGPT reports 0.80 and 10.65 million for them, positions left out.
func TestPresetsHaveTheirParameters(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		want  int
	}{
		{Shape{Vocabulary: 65, Layers: 4, Heads: 4, Width: 128, Block: 64}, 65*128 + 64*128 + 4*(12*128*128+2*128) + 128},
		{Shape{Vocabulary: 65, Layers: 6, Heads: 6, Width: 384, Block: 256}, 65*384 + 256*384 + 6*(12*384*384+2*384) + 384},
	} {
		p := program.New("p")
		logits := c.shape.Logits(p, p.Input("ids", tensor.I32(tensor.Of(2, 5)...)), false)
		if err := p.Err(); err != nil {
			t.Fatal(err)
		}
		if got := logits.Type.String(); got != "f32[2, 5, 65]" {
			t.Errorf("logits %s", got)
		}
		if got := nn.ParameterCount(p); got != c.want {
			t.Errorf("%+v: %d parameters, expected %d", c.shape, got, c.want)
		}
		for _, v := range p.Parameters() {
			if !strings.HasPrefix(v.Name, "transformer.") {
				t.Errorf("a parameter is called %s", v.Name)
			}
		}
	}
}
