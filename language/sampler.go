package language

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
)

// writer continues a text with a model that stands in a session.
type writer struct {
	sampler
	alphabet []rune
	block    int
	sampling *sampling
	run      *program.Execution
	seen     []int32 // the text so far, or its end
	written  int     // characters
}

// newWriter continues a prompt of at least one character.
func newWriter(s sampler, sa *sampling, session *program.Session, alphabet []rune, block int, prompt string) (*writer, error) {
	w := &writer{sampler: s, alphabet: alphabet, block: block, sampling: sa, run: session.Execution(sa.program)}
	var err error
	if w.seen, err = encode(alphabet, prompt); err == nil && len(w.seen) == 0 {
		err = errors.New("it is empty; give at least one character to begin with")
	}
	return w, err
}

// next returns the next character: a run of the whole model over the last block of characters.
func (w *writer) next() (rune, error) {
	w.seen = w.seen[max(0, len(w.seen)-w.block):]
	if err := w.run.SetSize("length", len(w.seen)); err != nil {
		return 0, err
	}
	copy(w.run.Tensor(w.sampling.ids).Int32s(), w.seen)
	if err := w.run.Run(); err != nil {
		return 0, err
	}
	logits := w.run.Tensor(w.sampling.logits).Float32s()
	id, err := w.choose(logits[len(logits)-len(w.alphabet):], w.written)
	if err != nil {
		return 0, err
	}
	w.seen = append(w.seen, id)
	w.written++
	return w.alphabet[id], nil
}

// encode returns the ids of a text, or names the first character that the alphabet lacks.
func encode(alphabet []rune, text string) ([]int32, error) {
	var ids []int32
	for at, r := range text {
		id, ok := slices.BinarySearch(alphabet, r)
		if !ok {
			return nil, fmt.Errorf("the character %q at byte %d does not occur in the text that the model was trained on", r, at)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}

// sampler chooses characters.
type sampler struct {
	temperature float64 // 0 takes the most likely
	topK        int     // 0 for all
	seed        uint64
}

// choose draws number i from softmax(logits/temperature), restricted to the most likely topK (and what equals the least of
// them).
func (s *sampler) choose(logits []float32, i int) (int32, error) {
	best := int32(0)
	for j, x := range logits {
		if math.IsNaN(float64(x)) {
			return 0, fmt.Errorf("the model gives no number to character %d: its weights are damaged, or it was trained until it diverged", j)
		}
		if x > logits[best] {
			best = int32(j)
		}
	}
	if s.temperature == 0 {
		return best, nil
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
			return int32(j), nil
		}
	}
	return best, nil // rounding left nothing to fall on
}

// sampleStream is the stream of sampling.
const sampleStream = 0x73616d706c65 // "sample"
