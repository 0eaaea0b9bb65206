package run

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/format"
)

// Kind is a kind of thing that this package writes.
type Kind struct {
	Name     string // "run", "checkpoint", "model", "plan", "metrics"
	Describe func(path string) (format.Description, error)
	Check    func(path string) error // reads and verifies all of it
}

// kinds are told by the files that make them.
var kinds = []struct {
	Kind
	is func(path string) bool
}{
	{Kind{"run", Describe, Check}, holds(configName)},
	{Kind{"checkpoint", describeCheckpoint, checkCheckpoint}, holds(manifestName)},
	{Kind{"model", describeModel, checkModel}, holds(modelConfig, modelWeights)},
	{Kind{"plan", describePlan, checkPlan}, named(planName, planImportName)},
	{Kind{"metrics", describeMetrics, checkMetrics}, named(metricsName)},
}

// Recognise says which of the things that this package writes a path is, if any.
func Recognise(path string) (Kind, bool) {
	for _, k := range kinds {
		if k.is(path) {
			return k.Kind, true
		}
	}
	return Kind{}, false
}

// holds tells folders by files in them.
func holds(names ...string) func(path string) bool {
	return func(path string) bool {
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(path, name)); err != nil {
				return false
			}
		}
		return true
	}
}

// named tells files by their names.
func named(names ...string) func(path string) bool {
	return func(path string) bool { return slices.Contains(names, filepath.Base(path)) }
}
