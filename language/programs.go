package language

import (
	"context"
	"fmt"

	"github.com/seraph-ml/seraph/run"
)

// Programs implements run.Programmed: the training step, the scoring of windows, what continues a text, and the scoring of the
// shorter last window.
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
