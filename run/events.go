package run

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/format/tfevents"
)

// eventLog writes the metrics for TensorBoard, beside metrics.jsonl and with the same steps, but with times. A step that is
// logged is only remembered; flush writes it.
type eventLog struct {
	writer  *tfevents.Writer
	steps   []eventStep
	scalars []tfevents.Scalar // of all steps, one after the other
}

type eventStep struct {
	wall    time.Time
	step    int64
	scalars int // how many
}

// openEvents begins an event file in dir for what follows after step. What earlier files say of later steps is void; behind step 0
// that is all of it.
func openEvents(dir string, step int) (*eventLog, error) {
	if step == 0 {
		err := removeFiles(dir, func(name string) bool { return strings.HasPrefix(name, "events.out.tfevents.") })
		if err != nil {
			return nil, fmt.Errorf("remove void events: %w", err)
		}
	}
	w, err := tfevents.Create(dir, time.Now(), int64(step))
	return &eventLog{writer: w}, err
}

func (e *eventLog) add(wall time.Time, step int64, metrics []Metric) {
	for i := range metrics {
		e.scalars = append(e.scalars, tfevents.Scalar{Tag: metrics[i].Name, Value: metrics[i].Value})
	}
	e.steps = append(e.steps, eventStep{wall, step, len(metrics)})
}

func (e *eventLog) flush() error {
	at := 0
	for _, s := range e.steps {
		if err := e.writer.Scalars(s.wall, s.step, e.scalars[at:at+s.scalars]...); err != nil {
			return err
		}
		at += s.scalars
	}
	e.steps, e.scalars = e.steps[:0], e.scalars[:0]
	return nil
}

func (e *eventLog) Close() error { return errors.Join(e.flush(), e.writer.Close()) }
