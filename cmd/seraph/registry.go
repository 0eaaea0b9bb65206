package main

import (
	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

// models are all models, in the order of `seraph models`.
func models() []run.Model { return append(sgap.Models(), language.Model{}) }

// modelOf is the model of a trained run.
func modelOf(dir string) (run.Model, error) {
	name, err := run.ModelOf(dir)
	if err != nil {
		return nil, err
	}
	for _, m := range models() {
		if m.Spec().Name == name {
			return m, nil
		}
	}
	return nil, run.Usagef("%s was trained as %q, a model that this seraph does not know", dir, name)
}
