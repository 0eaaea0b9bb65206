package language

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/optim"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/safetensors"
	"github.com/seraph-ml/seraph/run"
)

// training is a run of the model: its corpus, its programs and their memory.
type training struct {
	setup
	job     *run.Job
	corpus  *Corpus
	offsets [][]int64 // of --batches, nil for random ones
	step    *step
	full    *scoring // whole blocks
	rest    *scoring // the shorter last window; nil when there is none
	windows int      // of one evaluation

	session *program.Session
	fit     *program.Execution
	tokens  float64 // trained on so far in this process
	seconds float64 // that training steps took so far in this process
}

// Plan implements run.Model.
func (Model) Plan(_ context.Context, job *run.Job) (*plan.Job, error) {
	t, err := prepare(job)
	if err != nil {
		return nil, err
	}
	return t.plan()
}

// prepare reads the input and compiles what fits the budget.
func prepare(job *run.Job) (*training, error) {
	corpus, err := ReadCorpus(job.Data)
	if err != nil {
		return nil, err
	}
	t := &training{job: job, corpus: corpus}
	if t.setup, err = setupOf(job, len(corpus.Alphabet)); err != nil {
		return nil, err
	}
	if len(corpus.Train) <= t.shape.Block || len(corpus.Val) < 2 {
		return nil, run.Usagef("%s has %d characters to train on and %d to validate; block=%d needs more text", job.Data, len(corpus.Train), len(corpus.Val), t.shape.Block)
	}
	if path := job.String("batches"); path != "" {
		if err := t.readBatches(job.Path(path)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// readBatches reads where the sequences of every step begin.
func (t *training) readBatches(path string) error {
	array, err := npy.Read(path)
	if err != nil {
		return err
	}
	offsets, err := array.Int64s()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(array.Shape) != 2 || array.Shape[1] != t.recipe.Batch || array.Shape[0] == 0 {
		return run.Usagef("%s has the shape %v, expected (steps, %d): one offset a sequence", path, array.Shape, t.recipe.Batch)
	}
	for i, o := range offsets {
		if o < 0 || o > int64(len(t.corpus.Train)-t.shape.Block-1) {
			return run.Usagef("%s: offset %d of step %d, expected 0 … %d", path, o, i/t.recipe.Batch, len(t.corpus.Train)-t.shape.Block-1)
		}
	}
	for i := 0; i < len(offsets); i += t.recipe.Batch {
		t.offsets = append(t.offsets, offsets[i:i+t.recipe.Batch])
	}
	return nil
}

// compile builds the programs.
func (t *training) compile(o program.Options) error {
	const tokens = 4096 // of one evaluation
	t.windows = max(1, tokens/t.shape.Block)
	var err error
	if t.step, err = t.shape.compileStep(t.recipe, o); err != nil {
		return err
	}
	if t.full, err = t.shape.compileScoring(t.windows, t.shape.Block, o); err != nil {
		return err
	}
	t.rest = nil
	if n := (len(t.corpus.Val) - 1) % t.shape.Block; n > 0 {
		t.rest, err = t.shape.compileScoring(1, n, o)
	}
	return err
}

func (t *training) programs() []*program.Compiled {
	list := []*program.Compiled{t.step.program, t.full.program}
	if t.rest != nil {
		list = append(list, t.rest.program)
	}
	return list
}

// Train implements run.Model.
func (Model) Train(_ context.Context, job *run.Job) error {
	t, err := prepare(job)
	if err != nil {
		return err
	}
	p, err := t.plan()
	if err != nil {
		return err
	}
	if err := job.SetPlan(p); err != nil {
		return err
	}
	pool := kernel.NewPool(job.Threads)
	defer pool.Close()
	if t.session, err = program.Start(pool, t.programs()...); err != nil {
		return err
	}
	defer t.session.Close()
	t.fit = t.session.Execution(t.step.program)
	for trial, err := range job.Trials() {
		if err != nil {
			return err
		}
		if err := t.trial(trial); err != nil {
			return err
		}
	}
	return nil
}

// state is what a checkpoint keeps beside the tensors.
type state struct {
	ValLoss float64 `json:"val_loss"` // of the last validation
}

// trial trains one seed.
func (t *training) trial(trial *run.Trial) error {
	t.session.Initialize(trial.Seed)
	if path := t.job.String("init"); path != "" {
		if err := t.readInit(t.job.Path(path)); err != nil {
			return err
		}
	}
	var now state
	done, err := t.restore(trial, &now)
	if err != nil {
		return err
	}
	last := t.steps
	if t.offsets != nil {
		last = min(last, len(t.offsets))
	}
	schedule := optim.Cosine{Peak: t.job.Float("lr"), Final: t.job.Float("min-lr"), Warmup: t.job.Int("warmup"), Steps: t.steps}
	snapshot := func() run.Snapshot {
		return run.Snapshot{Tensors: run.SessionTensors(t.session, run.Everything), State: now}
	}
	t.job.Stage("train", "steps", last)
	for s := done; s < last; s++ {
		loss, norm, err := t.once(trial.Seed, s, schedule.LR(s))
		if err != nil {
			return err
		}
		metrics := []run.Metric{{Name: "loss", Value: loss}, {Name: "lr", Value: schedule.LR(s)}}
		if norm >= 0 {
			metrics = append(metrics, run.Metric{Name: "grad_norm", Value: norm})
		}
		if (s+1)%t.every == 0 || s+1 == last {
			if now.ValLoss, err = t.validate(); err != nil {
				return err
			}
			metrics = append(metrics, run.Metric{Name: "val_loss", Value: now.ValLoss})
		}
		if err := trial.Log(s+1, metrics...); err != nil {
			return err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("the loss of step %d is %v: the training has diverged; try a smaller lr or a longer warmup", s+1, loss)
		}
		if err := trial.EndStep(s+1, snapshot); err != nil {
			return err
		}
	}
	return trial.Finish(t.outcome(now))
}

// restore goes back to the newest checkpoint and returns the steps that are done.
func (t *training) restore(trial *run.Trial, now *state) (int, error) {
	c, err := trial.Restore()
	if c == nil || err != nil {
		return 0, err
	}
	err = errors.Join(run.ReadSession(t.session, run.Everything, c.Read), c.State(now))
	return c.Step, errors.Join(err, c.Close())
}

// readInit fills the parameters from a safetensors file.
func (t *training) readInit(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return run.ReadSession(t.session, []plan.Kind{plan.Parameter}, func(name string, dst []float32) error {
		tensor, ok := f.Tensor(name)
		if !ok {
			return run.Usagef("%s has no tensor %s", path, name)
		}
		values, err := tensor.Float32s()
		if err != nil {
			return err
		}
		if len(values) != len(dst) {
			return run.Usagef("%s: %s has %d elements, the model's has %d", path, name, len(values), len(dst))
		}
		copy(dst, values)
		return nil
	})
}

// once makes step s, counted from 0, and returns its loss and the norm of its gradients, −1 without clipping.
func (t *training) once(seed uint64, s int, lr float64) (loss, norm float64, err error) {
	began := time.Now()
	ids, targets := t.fit.Tensor(t.step.ids).Int32s(), t.fit.Tensor(t.step.targets).Int32s()
	block := t.shape.Block
	random := kernel.Key{Seed: seed, Stream: batchStream, Step: uint64(s)}.Sequence()
	for i := range t.recipe.Batch {
		var offset int
		if t.offsets != nil {
			offset = int(t.offsets[s][i])
		} else {
			w := random.Block(uint64(i))
			offset = int((uint64(w[0])<<32 | uint64(w[1])) % uint64(len(t.corpus.Train)-block))
		}
		window(t.corpus.Train, offset, ids[i*block:(i+1)*block], targets[i*block:(i+1)*block])
	}
	t.session.Step = uint64(s + 1)
	t.fit.Tensor(t.step.lr).Float32s()[0] = float32(lr)
	if err := t.fit.Run(); err != nil {
		return 0, 0, err
	}
	norm = -1
	if t.step.norm != nil {
		norm = float64(t.fit.Tensor(t.step.norm).Float32s()[0])
	}
	t.tokens += float64(t.recipe.Batch * block)
	t.seconds += time.Since(began).Seconds()
	return float64(t.fit.Tensor(t.step.loss).Float32s()[0]), norm, nil
}

// batchStream is the stream of the sequences of a step.
const batchStream = 0x6261746368 // "batch"

// validate returns the mean loss of a token in nats over windows side by side that cover the validation part; the last one
// may be shorter.
func (t *training) validate() (float64, error) {
	val, block := t.corpus.Val, t.shape.Block
	targets := len(val) - 1
	var sum float64
	score := func(sc *scoring, from, windows, length int) error {
		e := t.session.Execution(sc.program)
		if err := e.SetSize("windows", windows); err != nil {
			return err
		}
		ids, want := e.Tensor(sc.ids).Int32s(), e.Tensor(sc.targets).Int32s()
		for i := range windows {
			window(val, from+i*length, ids[i*length:(i+1)*length], want[i*length:(i+1)*length])
		}
		if err := e.Run(); err != nil {
			return err
		}
		for _, loss := range e.Tensor(sc.losses).Float32s() {
			sum += float64(loss)
		}
		return nil
	}
	at := 0
	for at+block <= targets {
		n := min(t.windows, (targets-at)/block)
		if err := score(t.full, at, n, block); err != nil {
			return 0, err
		}
		at += n * block
	}
	if t.rest != nil {
		if err := score(t.rest, at, 1, targets-at); err != nil {
			return 0, err
		}
	}
	return sum / float64(targets), nil
}

// outcome is what a trial came to.
func (t *training) outcome(now state) run.Outcome {
	targets := float64(len(t.corpus.Val) - 1)
	metrics := []run.Metric{
		{Name: "val_loss", Value: now.ValLoss},
		{Name: "bits_per_byte", Value: now.ValLoss * targets / math.Ln2 / float64(t.corpus.ValBytes)},
	}
	if t.seconds > 0 {
		metrics = append(metrics, run.Metric{Name: "tokens_per_second", Value: t.tokens / t.seconds})
	}
	t.tokens, t.seconds = 0, 0
	return run.Outcome{
		Metrics: metrics,
		Score:   -now.ValLoss,
		Model: run.Trained{
			Config:  configOf(t.shape, t.corpus.Alphabet),
			Tensors: run.SessionTensors(t.session, run.Weights),
		},
	}
}

// Predict implements run.Model: a language model is sampled instead.
func (Model) Predict(context.Context, *run.Job, string) error {
	return run.Usagef("lm continues texts: use seraph generate RUN")
}

// Demo implements run.Model: grammar text from the seed.
func (Model) Demo(_ context.Context, dir string, seed uint64) (data string, set map[string]string, err error) {
	data = dir + "/grammar.txt"
	return data, map[string]string{"layers": "2", "width": "64", "block": "32", "steps": "300"}, os.WriteFile(data, grammar(seed), 0o644)
}
