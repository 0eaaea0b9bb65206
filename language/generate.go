package language

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format"
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
	return config{
		ModelType: "seraph-char", Vocabulary: s.Vocabulary, Layers: s.Layers, Heads: s.Heads, Width: s.Width, Block: s.Block,
		BF16: s.BF16, Alphabet: string(alphabet),
	}
}

// shape is what configOf was given, checked.
func (c *config) shape(path string) (s Shape, alphabet []rune, err error) {
	s = Shape{Vocabulary: c.Vocabulary, Layers: c.Layers, Heads: c.Heads, Width: c.Width, Block: c.Block, BF16: c.BF16}
	alphabet = []rune(c.Alphabet)
	corrupt := format.CorruptAt(path, -1, "configuration", "", "")
	if err := s.Check(); err != nil {
		return s, nil, corrupt.WithCause(err)
	}
	if len(alphabet) != s.Vocabulary || !slices.IsSorted(alphabet) {
		return s, nil, corrupt.WithCause(fmt.Errorf("%d characters for a vocabulary of %d, expected as many in ascending order", len(alphabet), s.Vocabulary))
	}
	return s, alphabet, nil
}

// Generate implements run.Generator: it continues the prompt character by character, writing each as it comes.
func (Model) Generate(ctx context.Context, job *run.Job, request *run.Request) (err error) {
	saved, err := job.Dir.OpenModel()
	if err != nil {
		return err
	}
	defer saved.Close()
	var c config
	if err := saved.Config(&c); err != nil {
		return err
	}
	shape, alphabet, err := c.shape(filepath.Join(job.Dir.Path, "model", "config.json"))
	if err != nil {
		return err
	}
	sa, err := shape.compileSampling(program.Options{Workers: job.Threads})
	if err != nil {
		return err
	}
	if err := planGenerating(job, sa, request.Int("length")); err != nil {
		return err
	}
	pool := kernel.NewPool(job.Threads)
	defer pool.Close()
	session, err := program.Start(pool, sa.program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := run.ReadSession(session, run.Weights, saved.Read); err != nil {
		return err
	}
	s := sampler{temperature: request.Float("temperature"), topK: request.Int("top-k"), seed: uint64(request.Int("sample-seed"))}
	prompt := request.String("prompt")
	w, err := newWriter(s, sa, session, alphabet, shape.Block, prompt)
	if err != nil {
		return run.Usagef("--prompt: %w", err)
	}
	return w.write(ctx, job, request, prompt)
}

// planGenerating holds the job to its budget.
func planGenerating(job *run.Job, sa *sampling, length int) error {
	baseline, err := memory.Baseline()
	if err != nil {
		return err
	}
	persistent, shared, scratch := program.Sizes(sa.program)
	stage := plan.Stage{Name: "generate", Items: []plan.Item{
		{Name: "parameters", Bytes: persistent, Where: plan.Resident},
		{Name: "activations", Bytes: shared, Where: plan.Resident},
		{Name: "working memory of kernels", Bytes: scratch, Where: plan.Resident},
	}}
	addCost(&stage, float64(length), sa.program.Cost)
	p, err := plan.Choose(job.Memory, func(i int) (*plan.Job, bool) {
		return &plan.Job{Baseline: baseline, Stages: []plan.Stage{stage}}, i == 0
	})
	if err != nil {
		return err
	}
	p.Predict(plan.LoadRates(job.Threads))
	return job.SetPlan(p)
}

// write writes prompt and continuation. An interruption ends the text early.
func (w *writer) write(ctx context.Context, job *run.Job, request *run.Request, prompt string) error {
	if _, err := io.WriteString(request.Out, prompt); err != nil {
		return err
	}
	for range request.Int("length") {
		if err := ctx.Err(); err != nil {
			return err
		}
		if job.Interrupted() != nil {
			break
		}
		r, err := w.next()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(request.Out, string(r)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(request.Out, "\n")
	return err
}
