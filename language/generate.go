package language

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/run"
)

// config is config.json of a trained model.
type config struct {
	ModelType  string `json:"model_type"`
	Vocabulary int    `json:"vocab_size"`
	Layers     int    `json:"n_layer"`
	Heads      int    `json:"n_head"`
	Width      int    `json:"n_embd"`
	Block      int    `json:"n_positions"`
	BF16       bool   `json:"bf16"`
	Alphabet   string `json:"alphabet"` // character i has id i
}

func configOf(s Shape, alphabet []rune) config {
	return config{ModelType: "seraph-char", Vocabulary: s.Vocabulary, Layers: s.Layers, Heads: s.Heads, Width: s.Width, Block: s.Block, BF16: s.BF16, Alphabet: string(alphabet)}
}

// Generate implements run.Generator: it continues the prompt character by character, writing each as it comes.
func (Model) Generate(ctx context.Context, job *run.Job, request *run.Request) error {
	saved, err := job.Dir.OpenModel()
	if err != nil {
		return err
	}
	defer saved.Close()
	var c config
	if err := saved.Config(&c); err != nil {
		return err
	}
	alphabet := []rune(c.Alphabet)
	if len(alphabet) != c.Vocabulary || !slices.IsSorted(alphabet) {
		return fmt.Errorf("%s: config.json has an alphabet of %d characters for a vocabulary of %d", job.Dir.Path, len(alphabet), c.Vocabulary)
	}
	prompt := request.String("prompt")
	ids, err := Encode(alphabet, prompt)
	if err != nil {
		return run.Usagef("--prompt: %w", err)
	}
	if len(ids) == 0 {
		return run.Usagef("--prompt is empty: give at least one character to begin with")
	}
	shape := Shape{Vocabulary: c.Vocabulary, Layers: c.Layers, Heads: c.Heads, Width: c.Width, Block: c.Block, BF16: c.BF16}
	sa, err := shape.compileSampling(program.Options{Workers: job.Threads})
	if err != nil {
		return err
	}
	pool := kernel.NewPool(job.Threads)
	defer pool.Close()
	session, err := program.Start(pool, sa.program)
	if err != nil {
		return err
	}
	defer session.Close()
	if err := run.ReadSession(session, run.Weights, saved.Read); err != nil {
		return err
	}
	e := session.Execution(sa.program)
	s := sampler{temperature: request.Float("temperature"), topK: request.Int("top-k"), seed: uint64(request.Int("sample-seed"))}
	if _, err := io.WriteString(request.Out, prompt); err != nil {
		return err
	}
	for i := range request.Int("length") {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := job.Interrupted(); err != nil {
			return nil // what was written stands
		}
		seen := ids[max(0, len(ids)-shape.Block):]
		if err := e.SetSize("length", len(seen)); err != nil {
			return err
		}
		copy(e.Tensor(sa.ids).Int32s(), seen)
		if err := e.Run(); err != nil {
			return err
		}
		logits := e.Tensor(sa.logits).Float32s()
		next := s.choose(logits[len(logits)-c.Vocabulary:], i)
		ids = append(ids, next)
		if _, err := io.WriteString(request.Out, string(alphabet[next])); err != nil {
			return err
		}
	}
	_, err = io.WriteString(request.Out, "\n")
	return err
}

// sampler chooses the next character.
type sampler struct {
	temperature float64
	topK        int
	seed        uint64
}

// choose draws number i from softmax(logits/temperature), restricted to the most likely topK.
func (s *sampler) choose(logits []float32, i int) int32 {
	best := int32(0)
	for j, x := range logits {
		if x > logits[best] {
			best = int32(j)
		}
	}
	if s.temperature == 0 {
		return best
	}
	least := float32(math.Inf(-1))
	if s.topK > 0 && s.topK < len(logits) {
		sorted := slices.Sorted(slices.Values(logits))
		least = sorted[len(sorted)-s.topK]
	}
	weight := func(x float32) float64 {
		if x < least {
			return 0
		}
		return math.Exp(float64(x-logits[best]) / s.temperature)
	}
	var total float64
	for _, x := range logits {
		total += weight(x)
	}
	random := kernel.Key{Seed: s.seed, Stream: sampleStream, Step: uint64(i)}.Sequence()
	w := random.Block(0)
	at := float64(uint64(w[0])<<21|uint64(w[1])>>11) / (1 << 53) * total
	for j, x := range logits {
		if at -= weight(x); at < 0 {
			return int32(j)
		}
	}
	return best
}

// sampleStream is the stream of sampling.
const sampleStream = 0x73616d706c65 // "sample"
