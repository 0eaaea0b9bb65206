package language_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/language"
	"github.com/seraph-ml/seraph/run"
)

// Train on generated text for a moment, then let the model go on with a sentence: what `seraph train lm` and `seraph
// generate` do.
func ExampleModel() {
	dir, err := os.MkdirTemp("", "lm")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, model := context.Background(), language.Model{}
	data, _, err := model.Demo(ctx, dir, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	out := filepath.Join(dir, "run")
	result, err := run.Train(ctx, model, run.Options{Out: out, Sources: run.Sources{Set: []string{
		"data=" + data, "layers=1", "width=32", "block=16", "batch=16", "steps=200", "lr=0.01", "warmup=10", "eval-every=200",
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("better than counting characters: %t\n", result.Metrics["val_loss"] < 2)

	job, err := run.Open(model, out, run.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := run.NewRequest(model.Spec(), run.Sources{Set: []string{"prompt=The river ", "length=30", "temperature=0"}}, os.Stdout)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := model.Generate(ctx, job, request); err != nil {
		fmt.Println(err)
	}
	// Output:
	// better than counting characters: true
	// The river wanders st behe hind the hilll
}
