package language

import (
	"fmt"

	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/run"
)

// Model is the character model `lm`.
type Model struct{}

// Spec implements run.Model.
func (Model) Spec() run.Spec {
	layers, size := fmt.Sprint(maxLayers), fmt.Sprint(maxSize)
	return run.Spec{
		Name:  "lm",
		Title: "decoder-only transformer on the characters of a text",
		Paper: "Radford et al., Language Models are Unsupervised Multitask Learners, 2019; settings of karpathy/nanoGPT",
		Task:  "text-generation",
		Data:  "a UTF-8 text file: the first 90 % of its characters train, the others validate",
		Settings: []run.Setting{
			{Key: "layers", Type: run.Int, Default: "4", Min: "1", Max: layers, Doc: "transformer blocks", Source: "nanoGPT"},
			{Key: "heads", Type: run.Int, Default: "4", Min: "1", Max: layers, Doc: "attention heads", Source: "nanoGPT"},
			{Key: "width", Type: run.Int, Default: "128", Min: "1", Max: size, Doc: "width of the residual stream, a multiple of heads", Source: "nanoGPT"},
			{Key: "block", Type: run.Int, Default: "64", Min: "1", Max: size, Doc: "characters of a sequence", Source: "nanoGPT"},
			{Key: "batch", Type: run.Int, Default: "12", Min: "1", Max: size, Doc: "sequences of a step", Source: "nanoGPT"},
			{Key: "dropout", Type: run.Float, Default: "0", Min: "0", Max: "0.99", Doc: "rate of dropout on embeddings, attention and both projections", Source: "nanoGPT"},
			{Key: "steps", Type: run.Int, Default: "2000", Min: "1", Max: "100000000", Doc: "training steps", Source: "nanoGPT"},
			{Key: "lr", Type: run.Float, Default: "0.001", Min: "0", Doc: "learning rate after the warm-up", Source: "nanoGPT"},
			{Key: "min-lr", Type: run.Float, Default: "0.0001", Min: "0", Doc: "learning rate that a cosine reaches after the last step", Source: "nanoGPT"},
			{Key: "warmup", Type: run.Int, Default: "100", Min: "0", Doc: "steps in which the learning rate rises", Source: "nanoGPT"},
			{Key: "beta1", Type: run.Float, Default: "0.9", Min: "0", Max: "0.999999", Doc: "decay of AdamW's first moment", Source: "nanoGPT"},
			{Key: "beta2", Type: run.Float, Default: "0.99", Min: "0", Max: "0.999999", Doc: "decay of AdamW's second moment", Source: "nanoGPT"},
			{Key: "weight-decay", Type: run.Float, Default: "0.1", Min: "0", Doc: "AdamW's weight decay, of matrices alone", Source: "nanoGPT"},
			{Key: "clip", Type: run.Float, Default: "1", Min: "0", Doc: "most that the norm of all gradients together may be; 0: no limit", Source: "nanoGPT"},
			{Key: "eval-every", Type: run.Int, Default: "0", Min: "0", Doc: "steps from validation to validation; 0: eight of them, at most 250 apart"},
			{Key: "init", Type: run.String, Doc: "safetensors file with the weights to begin with"},
			{Key: "batches", Type: run.String, Doc: "npy file (steps, batch) of where in the training part each sequence begins; the run ends with it"},
		},
		Sampling: []run.Setting{
			{Key: "prompt", Type: run.String, Default: "\n", Doc: "the text to continue"},
			{Key: "length", Type: run.Int, Default: "500", Min: "1", Max: "100000000", Doc: "characters to generate"},
			{Key: "temperature", Type: run.Float, Default: "0.8", Min: "0", Max: "100", Doc: "divisor of the logits; 0 takes the most likely character"},
			{Key: "top-k", Type: run.Int, Default: "0", Min: "0", Doc: "sample among so many of the most likely characters; 0: all"},
			{Key: "sample-seed", Type: run.Int, Default: "0", Min: "0", Doc: "the seed of the sampling"},
		},
		Presets: []run.Preset{
			{Name: "char-cpu", Doc: "nanoGPT's small character model: 4 layers, 4 heads, 128 wide, 64 characters, no dropout", Values: map[string]string{
				"layers": "4", "heads": "4", "width": "128", "block": "64", "batch": "12", "dropout": "0",
			}},
			{Name: "char-gpu", Doc: "nanoGPT's large character model: 6 layers, 6 heads, 384 wide, 256 characters, dropout 0.2", Values: map[string]string{
				"layers": "6", "heads": "6", "width": "384", "block": "256", "batch": "64", "dropout": "0.2",
			}},
		},
		Use:    "Learning the style of one text, and trying things out: a model of characters knows nothing beyond its text.",
		Limits: "It continues only texts made of characters that it was trained on, and what it writes is not to be relied on.",
	}
}

// setup is what the settings of a job say.
type setup struct {
	shape    Shape
	recipe   recipe
	schedule optim.Cosine
	every    int // steps from validation to validation
}

func setupOf(job *run.Job, vocabulary int) (setup, error) {
	s := setup{
		shape: Shape{
			Vocabulary: vocabulary, Layers: job.Int("layers"), Heads: job.Int("heads"), Width: job.Int("width"), Block: job.Int("block"),
			Dropout: job.Float("dropout"), BF16: job.Precision == "bf16",
		},
		recipe: recipe{
			batch: job.Int("batch"), beta1: job.Float("beta1"), beta2: job.Float("beta2"), weightDecay: job.Float("weight-decay"), clip: job.Float("clip"),
		},
		schedule: optim.Cosine{Peak: job.Float("lr"), Final: job.Float("min-lr"), Warmup: job.Int("warmup"), Steps: job.Int("steps")},
		every:    job.Int("eval-every"),
	}
	if err := s.shape.Check(); err != nil {
		return s, run.Usagef("%w", err)
	}
	if s.every == 0 {
		s.every = min(max(s.schedule.Steps/8, 1), 250)
	}
	return s, nil
}
