package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/graph/sgap"
	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

// models are all models, in the order of `seraph models`.
func models() []run.Model {
	return slices.Concat(sgap.Models(), sgap.Spreadings(), []run.Model{language.Model{}})
}

// searches are the searches that seraph knows.
func searches() []run.Searcher { return sgap.Searches() }

// modelNamed finds a model by its name.
func modelNamed(name string) (run.Model, error) {
	var names []string
	for _, m := range models() {
		if m.Spec().Name == name {
			return m, nil
		}
		names = append(names, m.Spec().Name)
	}
	hint := ""
	if near, ok := run.Nearest(name, names); ok {
		hint = fmt.Sprintf("did you mean %s? ", near)
	}
	return nil, run.Usagef("there is no model %q; %sthere are %s", name, hint, strings.Join(names, ", "))
}

// modelsWith names the models that have a setting; "" for none.
func modelsWith(setting string) string {
	var names []string
	for _, m := range models() {
		spec := m.Spec()
		if slices.ContainsFunc(spec.Settings, func(s run.Setting) bool { return s.Key == setting }) {
			names = append(names, spec.Name)
		}
	}
	return strings.Join(names, ", ")
}

// modelOf is the model of a trained run.
func modelOf(dir string) (run.Model, error) {
	name, err := run.ModelOf(dir)
	if err != nil {
		return nil, err
	}
	if found, is := strings.CutPrefix(name, run.SearchName("")); is {
		return nil, run.Usagef("%s is a search of %s and holds no model; its report has the commands that train what it found", dir, found)
	}
	m, err := modelNamed(name)
	if err != nil {
		return nil, run.Usagef("%s was trained with a model that this seraph does not know: %w", dir, err)
	}
	return m, nil
}
