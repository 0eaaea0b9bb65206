package run_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/run"
)

// A model is trained from Go as from the command line: seraph train walk --data DATA --seeds 3 --set steps=50 --out RUN.
// The model here is that of the package's tests, walk_test.go.
func ExampleTrain() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	data, _, err := walk{}.Demo(context.Background(), dir, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := run.Train(context.Background(), walk{}, run.Options{
		Sources: run.Sources{
			Flags: map[string]string{"data": data, "seeds": "3"},
			Set:   []string{"steps=50"},
		},
		Out: filepath.Join(dir, "run"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, %d seeds: best %.3f ± %.3f\n", result.Model, result.Seeds, result.Metrics["best"], result.Metrics["best_std"])
	// Output: walk, 3 seeds: best 0.977 ± 0.020
}
