package sgap

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/program"
	"github.com/seraph-ml/seraph/engine/tensor"
)

// linearStep is a layer with its gradient, over dense or sparse rows.
type linearStep struct {
	session *program.Session
	y, dw   []float32
}

// runLinear returns the results of a layer for rows with many zeros.
func runLinear(t *testing.T, x []float32, rows, cols, out, workers int, sparse *compressed) linearStep {
	t.Helper()
	p := program.New("linear")
	n := p.Size("rows", rows+8)
	w, b := p.Parameter("w", nil, out, cols), p.Parameter("b", nil, out)
	var dense *program.Value
	var s *program.Sparse
	var y *program.Value
	if sparse == nil {
		dense = p.External("x", tensor.F32(n, tensor.Fixed(cols)))
		y = p.Linear(dense, w, b, false)
	} else {
		s = p.NewSparse("x", n, tensor.Fixed(cols), rows*cols+1, true)
		y = p.SparseLinear(s, w, b)
	}
	dw := p.Differentiate(p.Sum(p.Mul(y, y)), w)[0]
	p.Output(y)
	p.Output(dw)
	c, err := program.Compile(p, program.Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	pool := kernel.NewPool(workers)
	defer pool.Close()
	session, err := program.Start(pool, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	e := session.Execution(c)
	r := rand.New(rand.NewPCG(3, 4))
	for _, v := range []*program.Value{w, b} {
		for i := range e.Tensor(v).Float32s() {
			e.Tensor(v).Float32s()[i] = float32(r.NormFloat64())
		}
	}
	if err := e.SetSize("rows", rows); err != nil {
		t.Fatal(err)
	}
	if sparse == nil {
		e.Tensor(dense).Bind(x)
	} else if err := bindSparse(e, s, "x", &HopRows{rows: sparse}, rows); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return linearStep{session, e.Tensor(y).Float32s(), e.Tensor(dw).Float32s()}
}

func TestSparseRowsGiveTheBitsOfDenseOnes(t *testing.T) {
	for _, size := range []struct{ rows, cols, out int }{{1, 1, 1}, {3, 7, 2}, {40, 600, 5}, {700, 33, 9}, {530, 1433, 16}, {1100, 2600, 3}} {
		r := rand.New(rand.NewPCG(uint64(size.rows), 2))
		x := make([]float32, size.rows*size.cols)
		for i := range x {
			if r.IntN(12) == 0 {
				x[i] = float32(r.NormFloat64())
			}
		}
		arena, err := memory.NewArena(compressedBytes(size.rows+8, size.cols))
		if err != nil {
			t.Fatal(err)
		}
		defer arena.Close()
		c := newCompressed(arena, 0, size.rows+8, size.cols)
		for i := range size.rows {
			if !c.add(x[i*size.cols : (i+1)*size.cols]) {
				t.Fatalf("%+v: no room for row %d", size, i)
			}
		}
		c.transpose()
		want := runLinear(t, x, size.rows, size.cols, size.out, 1, nil)
		for _, workers := range []int{1, 2, 3} {
			got := runLinear(t, x, size.rows, size.cols, size.out, workers, c)
			if d := cmp.Diff(want.y, got.y); d != "" {
				t.Errorf("%+v, %d workers: results differ", size, workers)
			}
			if d := cmp.Diff(want.dw, got.dw); d != "" {
				t.Errorf("%+v, %d workers: gradients differ", size, workers)
			}
		}
	}
}

func TestCompressedRowsSayWhenThereIsNoRoom(t *testing.T) {
	arena, err := memory.NewArena(compressedBytes(10, 20))
	if err != nil {
		t.Fatal(err)
	}
	defer arena.Close()
	c := newCompressed(arena, 0, 10, 20)
	row := make([]float32, 20)
	for i := range row {
		row[i] = 1
	}
	fits := 0
	for fits < 10 && c.add(row) {
		fits++
	}
	if fits != 2 {
		t.Errorf("%d full rows of 20 fit into the room for a fifth of 10 × 20, expected 2", fits)
	}
}

// TestCompressedRowsChangeNoTraining trains with hops of which the first has few entries, compressed and dense. Dropout on the input
// needs dense rows in a step of training, not in an evaluation.
func TestCompressedRowsChangeNoTraining(t *testing.T) {
	d := blocks(t)
	for i := range d.Features.Dense {
		if i%d.Features.Cols != i/d.Features.Cols%d.Features.Cols {
			d.Features.Dense[i] = 0
		}
	}
	type result struct {
		Weights map[string][]float32
		Loss    float64
	}
	train := func(c choice, s *store, compress bool) (r result) {
		size := d.sizesOf(c, d.splits, way{blockBytes: largestBlock}, 1)
		size.compress = compress
		shop, err := newWorkshop(d, c, size, false, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer shop.close()
		if err := shop.open(s, d.splits[0]); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(shop.sparse, true) != compress || compress && shop.train.dense() != (c.design.Head.InputDropout > 0) || shop.val.dense() == compress {
			t.Fatalf("input dropout %g, compress %v: hops that come compressed: %v", c.design.Head.InputDropout, compress, shop.sparse)
		}
		shop.begin(7)
		for range steps {
			_, val, err := shop.runEpoch()
			if err != nil {
				t.Fatal(err)
			}
			r.Loss = val.MeanLoss()
		}
		r.Weights = weightsOf(shop.session)
		return r
	}
	for _, name := range []string{"sign", "gamlp-jk"} {
		for _, dropout := range []string{"0", "0.5"} {
			c := choiceOf(t, name, "hops=2", "hidden=8", "input-dropout="+dropout)
			s := propagated(t, d, c.design)
			if d := cmp.Diff(train(c, s, false), train(c, s, true)); d != "" {
				t.Errorf("%s, input dropout %s: dense (-) and compressed (+):\n%s", name, dropout, d)
			}
			s.Close()
		}
	}
}
