package language

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/run"
)

// passage is what a trained model wrote.
type passage struct {
	text    string
	seed    uint64
	valLoss float64
}

// passageLength is how many characters the report shows.
const passageLength = 300

// show lets the model of a seed write, if it is the best so far.
func (t *training) show(seed uint64, valLoss float64) error {
	if t.shown.text != "" && !(valLoss < t.shown.valLoss) {
		return nil
	}
	alphabet := t.corpus.Alphabet
	begin := alphabet[0]
	if slices.Contains(alphabet, '\n') {
		begin = '\n'
	}
	w, err := newWriter(sampler{temperature: 0.8}, t.sample, t.session, alphabet, t.shape.Block, string(begin))
	if err != nil {
		return err
	}
	var b strings.Builder
	for range passageLength {
		r, err := w.next()
		if err != nil {
			return err
		}
		b.WriteRune(r)
	}
	t.shown = passage{b.String(), seed, valLoss}
	return nil
}

// report adds to the report what the model writes, and what its loss compares with.
func (t *training) report() {
	if t.shown.text == "" {
		return // all seeds were trained before the run was resumed
	}
	alone, after := t.corpus.frequencies()
	losses := run.Table{Caption: "Loss on the validation part", Head: []string{"what predicts the next character", "nats"}, Rows: [][]string{
		{"how often each character occurs in the training part", fmt.Sprintf("%.4f", alone)},
	}}
	if !math.IsNaN(after) {
		losses.Rows = append(losses.Rows, []string{"how often it follows the character before", fmt.Sprintf("%.4f", after)})
	}
	losses.Rows = append(losses.Rows, []string{fmt.Sprintf("the model, seed %d", t.shown.seed), fmt.Sprintf("%.4f", t.shown.valLoss)})
	t.job.AddSection(run.Section{Title: "What the model has learned", Figures: []run.Figure{losses}})
	t.job.AddSection(run.Section{
		Title: "What the model writes",
		Text:  strings.ReplaceAll(t.shown.text, "\n", "\n\n"), // a line a paragraph
	})
}

// frequencies returns the losses, in nats a predicted character of the validation part, of two predictors that only count:
// p(c), every character counted once more than it occurs in the training part, and p(c | b) = (n(bc) + p(c))/(n(b) + 1)
// for c behind b. The second is NaN for alphabets whose pairs are too many to count.
func (c *Corpus) frequencies() (alone, after float64) {
	const most = 1024 // characters: counts of 4 MiB
	v := len(c.Alphabet)
	p := make([]float64, v)
	for i := range p {
		p[i] = 1 / float64(len(c.Train)+v)
	}
	for _, id := range c.Train {
		p[id] += 1 / float64(len(c.Train)+v)
	}
	targets := c.Val[1:]
	for _, id := range targets {
		alone -= math.Log(p[id]) / float64(len(targets))
	}
	if v > most {
		return alone, math.NaN()
	}
	pairs, firsts := make([]int32, v*v), make([]int32, v)
	for i, id := range c.Train[1:] {
		before := c.Train[i]
		firsts[before]++
		pairs[int(before)*v+int(id)]++
	}
	for i, id := range targets {
		before := c.Val[i]
		after -= math.Log((float64(pairs[int(before)*v+int(id)])+p[id])/float64(firsts[before]+1)) / float64(len(targets))
	}
	return alone, after
}
