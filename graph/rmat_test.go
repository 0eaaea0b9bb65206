package graph

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/run"
)

// rmatByTheBook draws level by level, with borders as fractions: the definition that other programs make the same graph from.
func rmatByTheBook(scale, e, seed int64) (u, v int64) {
	for l := range scale {
		x := uint64(seed)*0x9E3779B97F4A7C15 + uint64(e*scale+l+1)*0x9E3779B97F4A7C15
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		x = (x ^ x>>27) * 0x94D049BB133111EB
		x ^= x >> 31
		border := func(percent int64) *big.Int {
			b := new(big.Int).Lsh(big.NewInt(percent), 32)
			return b.Div(b, big.NewInt(100))
		}
		r, a, b := new(big.Int).SetUint64(x>>32), border(57), border(19)
		ab := new(big.Int).Add(a, b)
		abc := new(big.Int).Add(ab, b)
		u, v = 2*u, 2*v
		switch {
		case r.Cmp(a) < 0:
		case r.Cmp(ab) < 0:
			v++
		case r.Cmp(abc) < 0:
			u++
		default:
			u++
			v++
		}
	}
	return u, v
}

func TestRMATDrawsAsSpecified(t *testing.T) {
	for _, r := range []RMAT{{Scale: 1, EdgeFactor: 40, Seed: 0}, {Scale: 10, EdgeFactor: 2, Seed: 7}, {Scale: 31, EdgeFactor: 1, Seed: 1 << 62}} {
		var want bytes.Buffer
		for e := range min(r.Samples(), 2000) {
			u, v := rmatByTheBook(int64(r.Scale), e, int64(r.Seed))
			fmt.Fprintf(&want, "%d %d\n", u, v)
			if gotU, gotV := r.Edge(e); gotU != u || gotV != v {
				t.Fatalf("%+v: sample %d is %d %d, expected %d %d", r, e, gotU, gotV, u, v)
			}
		}
		if r.Samples() > 1<<20 {
			continue
		}
		for _, threads := range []int{1, 3} {
			pool := kernel.NewPool(threads)
			defer pool.Close()
			var got bytes.Buffer
			if err := r.WriteText(&got, pool); err != nil || !bytes.HasPrefix(got.Bytes(), want.Bytes()) {
				t.Errorf("%+v, %d threads: %v, other text", r, threads, err)
			}
			if lines := bytes.Count(got.Bytes(), []byte("\n")); int64(lines) != r.Samples() {
				t.Errorf("%+v: %d lines, expected %d", r, lines, r.Samples())
			}
		}
	}
}

func TestRMATRefusesWhatItCannotDraw(t *testing.T) {
	for _, r := range []RMAT{{Scale: 0, EdgeFactor: 1}, {Scale: 32, EdgeFactor: 1}, {Scale: 5}} {
		var usage *run.UsageError
		if err := r.Check(); !errors.As(err, &usage) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
