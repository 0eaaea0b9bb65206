package run

import (
	"math"
	"testing"
)

// FuzzConfig reads settings of a run that hold anything. What is accepted must come back the same after it is written.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("version = 1\nmodel = 'sgc'\n[settings]\ndata = 'x'\nhops = 2 # flag, --hops\n[run]\nseraph = 'x'\nstarted = 2026-01-01T00:00:00Z\n"))
	f.Add([]byte("version = 1\nmodel = 'sgc'\nsettings = { weight-decay = 1e-3, data = \"\"\"a\nb\"\"\" } # default\n"))
	f.Add([]byte("version = 1\nmodel = 'sgc'\n[settings]\nmemory = '1GiB'\nhops = [1]\n[settings.split]\nx = 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRecord("config.toml", text)
		if err != nil {
			return
		}
		c, err := r.again(described{}.Spec(), Sources{}, OfMachine)
		if err != nil {
			return
		}
		again, err := parseRecord("config.toml", c.text(r.run))
		if err != nil {
			t.Fatal(err)
		}
		values, err := again.values(described{}.Spec())
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range c.Values {
			if w := values.Values[i]; w.parsed != v.parsed || w.Origin != v.Origin {
				t.Fatalf("%s=%v (%s) came back as %v (%s)", v.Key, v.parsed, v.Origin, w.parsed, w.Origin)
			}
		}
	})
}

// FuzzMetrics reads lines of metrics that hold anything. Every number that is accepted comes back the same after it is written.
func FuzzMetrics(f *testing.F) {
	f.Add([]byte("{\"step\":1,\"loss\":0.5}\n"))
	f.Add([]byte("{\"step\":2,\"loss\":null,\"a,b\":1e-300}\r\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var list []Metric
		if !parseMetrics(line, func(name []byte, x float64) { list = append(list, Metric{string(name), x}) }) || len(list) == 0 {
			return
		}
		for _, m := range list {
			want := m.Value
			if math.IsInf(want, 0) {
				want = math.NaN()
			}
			written := append(append([]byte(`{"x":`), appendNumber(nil, m.Value)...), '}')
			ok := parseMetrics(written, func(_ []byte, got float64) {
				if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Fatalf("%v came back as %v", want, got)
				}
			})
			if !ok {
				t.Fatalf("%s cannot be read", written)
			}
		}
	})
}
