package tfevents_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/seraph-ml/seraph/format/tfevents"
)

func Example() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := tfevents.Create(dir, time.Unix(1700000000, 0), 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Scalars(time.Unix(1700000001, 0), 1, tfevents.Scalar{Tag: "loss", Value: 0.5}); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	for e, err := range tfevents.Read(w.Path) {
		if err != nil {
			log.Fatal(err)
		}
		for _, v := range e.Values {
			fmt.Println(e.Step, v.Tag, v.Scalar)
		}
	}
	// Output: 1 loss 0.5
}
