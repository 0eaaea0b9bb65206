package sgap

import (
	"testing"

	"github.com/seraph-ml/seraph/run"
)

// TestThePlanHoldsForWhateverTheSearchFinds plans a search, and then each of its candidates alone in the same way.
func TestThePlanHoldsForWhateverTheSearchFinds(t *testing.T) {
	tries, models := "20", Models()
	if testing.Short() {
		tries, models = "4", OneOfEach()
	}
	for _, data := range []string{Blocks(t), Texts(t)} {
		for _, m := range models {
			job, err := run.New(m, run.Options{PlanOnly: true, Sources: run.Sources{Flags: map[string]string{"data": data, "tune": tries, "seeds": "4"}}})
			if err != nil {
				t.Fatal(err)
			}
			w, err := m.(Model).prepare(t.Context(), job, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			p, err := w.plan()
			if err != nil {
				t.Fatal(err)
			}
			for i := range w.tune.candidates {
				c := &w.tune.candidates[i]
				if err := w.normalize(&c.own.design); err != nil {
					t.Fatal(err)
				}
				alone, err := w.describe(w.chosen, []choice{c.own}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for k := range p.Stages {
					if a, s := alone.Stages[k].Peak(), p.Stages[k].Peak(); a > s {
						t.Errorf("%s on %s: %s takes %d bytes with %v, planned %d", m.Spec().Name, data, p.Stages[k].Name, a, c.Settings, s)
					}
				}
			}
		}
	}
}
