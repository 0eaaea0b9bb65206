package language

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/run"
)

// training is a run of the model: its corpus, its programs and their memory.
type training struct {
	setup
	job      *run.Job
	baseline int64 // of memory
	corpus   *Corpus
	steps    int       // of a seed
	offsets  [][]int64 // where the sequences of each step begin; nil for random ones

	step   *step
	full   *scoring // whole blocks
	rest   *scoring // the shorter last window; nil when there is none
	sample *sampling

	session *program.Session
	tokens  float64 // that the current seed was trained on in this process
	seconds float64 // that its training steps took
	shown   passage // of the best seed so far
}

// state is what a checkpoint keeps beside the tensors.
type state struct {
	ValLoss float64 `json:"val_loss"` // of the last validation
}

// trial trains one seed.
func (t *training) trial(trial *run.Trial) error {
	var now state
	done, err := t.begin(trial, &now)
	if err != nil {
		return err
	}
	snapshot := func() run.Snapshot {
		return run.Snapshot{Tensors: run.SessionTensors(t.session, run.Everything), State: now}
	}
	t.job.Stage(stageTrain, "steps", t.steps)
	for s := done; s < t.steps; s++ {
		metrics, err := t.once(trial.Seed, s)
		if err != nil {
			return err
		}
		if (s+1)%t.every == 0 || s+1 == t.steps {
			if now.ValLoss, err = t.validate(); err != nil {
				return err
			}
			metrics = append(metrics, run.Metric{Name: "val_loss", Value: now.ValLoss})
		}
		if err := trial.Log(s+1, metrics...); err != nil {
			return err
		}
		if err := trial.EndStep(s+1, snapshot); err != nil {
			return err
		}
	}
	if err := trial.Finish(t.outcome(now.ValLoss)); err != nil {
		return err
	}
	return t.show(trial.Seed, now.ValLoss)
}

// begin makes the weights of a seed, or goes back to its newest checkpoint, and returns the steps that are done.
func (t *training) begin(trial *run.Trial, now *state) (done int, err error) {
	t.tokens, t.seconds = 0, 0
	t.session.Initialize(trial.Seed)
	c, err := trial.Restore()
	if err != nil {
		return 0, err
	}
	if c != nil {
		err = errors.Join(run.ReadSession(t.session, run.Everything, c.Read), c.State(now))
		return c.Step, errors.Join(err, c.Close())
	}
	if path := t.job.String("init"); path != "" {
		err = t.readInit(t.job.Path(path))
	}
	return 0, err
}

// once makes step s, counted from 0, and returns its metrics.
func (t *training) once(seed uint64, s int) ([]run.Metric, error) {
	began := time.Now()
	e := t.session.Execution(t.step.program)
	ids, targets := e.Tensor(t.step.ids).Int32s(), e.Tensor(t.step.targets).Int32s()
	block := t.shape.Block
	random := kernel.Key{Seed: seed, Stream: batchStream, Step: uint64(s)}.Sequence()
	for i := range t.recipe.batch {
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
	lr := t.schedule.LR(s)
	e.Tensor(t.step.lr).Float32s()[0] = float32(lr)
	if err := e.Run(); err != nil {
		return nil, err
	}
	t.tokens += float64(len(ids))
	t.seconds += time.Since(began).Seconds()
	loss := float64(e.Tensor(t.step.loss).Float32s()[0])
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return nil, fmt.Errorf("the loss of step %d is %v: the training has diverged; try a smaller lr or a longer warmup", s+1, loss)
	}
	metrics := []run.Metric{{Name: "loss", Value: loss}, {Name: "lr", Value: lr}}
	if t.step.norm != nil {
		metrics = append(metrics, run.Metric{Name: "grad_norm", Value: float64(e.Tensor(t.step.norm).Float32s()[0])})
	}
	return metrics, nil
}

// batchStream is the stream of the sequences of a step.
const batchStream = 0x6261746368 // "batch"

// validate returns the mean loss of a token in nats over windows side by side that cover the validation part; the last one
// may be shorter.
func (t *training) validate() (float64, error) {
	block, targets := t.shape.Block, len(t.corpus.Val)-1
	var sum float64
	at := 0
	for at+block <= targets {
		n := min(t.recipe.batch, (targets-at)/block)
		if err := t.score(t.full, at, n, block, &sum); err != nil {
			return 0, err
		}
		at += n * block
	}
	if t.rest != nil {
		if err := t.score(t.rest, at, 1, targets-at, &sum); err != nil {
			return 0, err
		}
	}
	return sum / float64(targets), nil
}

// score adds the losses of so many windows of the validation part, side by side, to sum: token by token, so that it does not
// matter how many are evaluated at once.
func (t *training) score(sc *scoring, from, windows, length int, sum *float64) error {
	e := t.session.Execution(sc.program)
	if err := e.SetSize("windows", windows); err != nil {
		return err
	}
	ids, targets := e.Tensor(sc.ids).Int32s(), e.Tensor(sc.targets).Int32s()
	for i := range windows {
		window(t.corpus.Val, from+i*length, ids[i*length:(i+1)*length], targets[i*length:(i+1)*length])
	}
	if err := e.Run(); err != nil {
		return err
	}
	for _, loss := range e.Tensor(sc.losses).Float32s() {
		*sum += float64(loss)
	}
	return nil
}

// outcome is what a seed came to.
func (t *training) outcome(valLoss float64) run.Outcome {
	targets := float64(len(t.corpus.Val) - 1)
	metrics := []run.Metric{
		{Name: "val_loss", Value: valLoss},
		{Name: "bits_per_byte", Value: valLoss * targets / math.Ln2 / float64(t.corpus.ValBytes)},
	}
	if t.seconds > 0 {
		metrics = append(metrics, run.Metric{Name: "tokens_per_second", Value: t.tokens / t.seconds})
	}
	return run.Outcome{
		Metrics: metrics,
		Score:   -valLoss,
		Model: run.Trained{
			Config:  configOf(t.shape, t.corpus.Alphabet),
			Tensors: run.SessionTensors(t.session, run.Weights),
		},
	}
}
