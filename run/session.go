package run

import (
	"slices"

	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/format/safetensors"
)

// Weights are the kinds of tensors that make a trained model; Everything those that a training needs to go on.
var (
	Weights    = []plan.Kind{plan.Parameter, plan.State}
	Everything = []plan.Kind{plan.Parameter, plan.State, plan.Optimizer}
)

// SessionTensors returns the persistent tensors of the given kinds to be written: for a Snapshot or a Trained.
func SessionTensors(s *program.Session, kinds []plan.Kind) []safetensors.Input {
	var list []safetensors.Input
	for _, t := range s.Persistent() {
		if slices.Contains(kinds, t.Kind) {
			list = append(list, safetensors.Float32(t.Name, t.Tensor.Dims, t.Tensor.Float32s()))
		}
	}
	return list
}

// ReadSession fills the persistent tensors of the given kinds; read is Checkpoint.Read or Saved.Read.
func ReadSession(s *program.Session, kinds []plan.Kind, read func(name string, dst []float32) error) error {
	for _, t := range s.Persistent() {
		if slices.Contains(kinds, t.Kind) {
			if err := read(t.Name, t.Tensor.Float32s()); err != nil {
				return err
			}
		}
	}
	return nil
}
