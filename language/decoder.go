package language

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/nn"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// Shape is the size of a decoder.
type Shape struct {
	Vocabulary int
	Layers     int
	Heads      int
	Width      int // of the residual stream
	Block      int // longest sequence
	Dropout    float64
	BF16       bool
}

// The most that sizes may be.
const (
	maxLayers = 1000 // and heads
	maxSize   = 65536
)

// Check says which sizes cannot be.
func (s Shape) Check() error {
	for _, size := range []struct {
		name    string
		n, most int
	}{
		{"vocabulary", s.Vocabulary, math.MaxInt32}, {"layers", s.Layers, maxLayers}, {"heads", s.Heads, maxLayers},
		{"width", s.Width, maxSize}, {"block", s.Block, maxSize},
	} {
		if size.n < 1 || size.n > size.most {
			return fmt.Errorf("%s=%d, expected 1 … %d", size.name, size.n, size.most)
		}
	}
	if s.Width%s.Heads != 0 {
		return fmt.Errorf("width=%d is not a multiple of heads=%d", s.Width, s.Heads)
	}
	if d := s.Width / s.Heads; d > kernel.Chunk {
		return fmt.Errorf("width=%d with heads=%d makes heads of %d, expected at most %d; give more heads", s.Width, s.Heads, d, kernel.Chunk)
	}
	return nil
}

const normEps = 1e-5

// Logits appends the decoder: ids (sequences, length) in, logits (sequences, length, vocabulary) out. Parameters have
// the names and layouts of a GPT-2 checkpoint with matrices stored (out, in); all begin N(0, 0.02²), projections
// back into the residual stream with the deviation divided by √(2·layers), gains 1.
func (s Shape) Logits(p *program.Program, ids *program.Value, training bool) *program.Value {
	defer p.Scope("transformer")()
	dropout := 0.0
	if training {
		dropout = s.Dropout
	}
	tokens := p.Parameter("wte.weight", nn.Normal(0.02), s.Vocabulary, s.Width)
	places := p.Parameter("wpe.weight", nn.Normal(0.02), s.Block, s.Width)
	x := p.Dropout(p.AddPositions(p.Gather(tokens, ids), places), dropout)
	for i := range s.Layers {
		x = s.block(p, fmt.Sprintf("h.%d", i), x, dropout)
	}
	x = nn.LayerNorm(p, "ln_f", x, normEps, true)
	return p.MatMul(x, tokens, program.Product{TransB: true, BF16: s.BF16})
}

// block is x + attention(norm(x)), then + MLP(norm(·)).
func (s Shape) block(p *program.Program, name string, x *program.Value, dropout float64) *program.Value {
	defer p.Scope(name)()
	inner := nn.Linear{NoBias: true, BF16: s.BF16, Init: nn.Normal(0.02)}
	outer := nn.Linear{Out: s.Width, NoBias: true, BF16: s.BF16, Init: nn.Normal(0.02 / math.Sqrt(2*float64(s.Layers)))}

	inner.Out = 3 * s.Width
	h := inner.Apply(p, "attn.c_attn", nn.LayerNorm(p, "ln_1", x, normEps, true))
	h = p.Attention(h, program.Attention{Heads: s.Heads, KVHeads: s.Heads, Causal: true, Dropout: dropout, BF16: s.BF16})
	x = p.Add(x, p.Dropout(outer.Apply(p, "attn.c_proj", h), dropout))

	inner.Out = 4 * s.Width
	h = inner.Apply(p, "mlp.c_fc", nn.LayerNorm(p, "ln_2", x, normEps, true))
	h = outer.Apply(p, "mlp.c_proj", p.Activate(h, kernel.GELU))
	return p.Add(x, p.Dropout(h, dropout))
}

// recipe is how a decoder is trained.
type recipe struct {
	batch        int // sequences of a step
	beta1, beta2 float64
	weightDecay  float64 // of matrices
	clip         float64
}

// step is the program of a training step.
type step struct {
	program        *program.Compiled
	ids, targets   *program.Value
	loss, lr, norm *program.Value // norm is nil without clipping
	parameters     int            // trained elements
}

// compileStep builds a training step of the recipe's batch of whole blocks.
func (s Shape) compileStep(r recipe, o program.Options) (*step, error) {
	p := program.New("train")
	t := tensor.I32(tensor.Fixed(r.batch), tensor.Fixed(s.Block))
	st := &step{ids: p.Input("ids", t), targets: p.Input("targets", t)}
	st.loss, _ = p.CrossEntropy(s.Logits(p, st.ids, true), st.targets)
	p.Output(st.loss)
	rule := optim.Adam{Beta1: r.beta1, Beta2: r.beta2, Eps: 1e-8, Decoupled: true}
	training := optim.Minimize(p, st.loss, rule, r.clip, optim.ByRank(p.Parameters(), r.weightDecay)...)
	st.lr, st.norm, st.parameters = training.LR, training.GradNorm, nn.ParameterCount(p)
	var err error
	st.program, err = program.Compile(p, o)
	return st, err
}

// scoring is the program that evaluates windows of one length.
type scoring struct {
	program      *program.Compiled
	ids, targets *program.Value
	losses       *program.Value // of each token
}

// compileScoring builds the evaluation of up to the given number of windows.
func (s Shape) compileScoring(windows, length int, o program.Options) (*scoring, error) {
	p := program.New(fmt.Sprintf("evaluate-%d", length))
	t := tensor.I32(p.Size("windows", windows), tensor.Fixed(length))
	sc := &scoring{ids: p.Input("ids", t), targets: p.Input("targets", t)}
	_, sc.losses = p.CrossEntropy(s.Logits(p, sc.ids, false), sc.targets)
	p.Output(sc.losses)
	var err error
	sc.program, err = program.Compile(p, o)
	return sc, err
}

// sampling is the program that continues one text.
type sampling struct {
	program *program.Compiled
	ids     *program.Value
	logits  *program.Value // (1, length, vocabulary)
}

// compileSampling builds the model over one text of any length up to the block.
func (s Shape) compileSampling(o program.Options) (*sampling, error) {
	p := program.New("generate")
	sa := &sampling{ids: p.Input("ids", tensor.I32(tensor.Fixed(1), p.Size("length", s.Block)))}
	sa.logits = p.Output(s.Logits(p, sa.ids, false))
	var err error
	sa.program, err = program.Compile(p, o)
	return sa, err
}
