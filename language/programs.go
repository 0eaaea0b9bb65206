package language

import (
	"context"
	"fmt"

	"github.com/seraph-ml/seraph/run"
)

// Programs implements run.Programmed: the training step, the scoring of windows, and that of the shorter last one.
func (Model) Programs(_ context.Context, job *run.Job) ([]fmt.Stringer, error) {
	t, err := prepare(job)
	if err != nil {
		return nil, err
	}
	if _, err := t.plan(); err != nil { // compiles what fits
		return nil, err
	}
	var list []fmt.Stringer
	for _, p := range t.programs() {
		list = append(list, p)
	}
	return list, nil
}
