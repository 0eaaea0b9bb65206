package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// randomCSR returns a matrix whose rows have up to most entries, some none, and one about hub.
func randomCSR(r *rand.Rand, rows, cols, most, hub int) CSR {
	a := CSR{Indptr: []int64{0}, Rows: rows, Cols: cols}
	for i := range rows {
		n := max(r.IntN(most+1)-most/4, 0)
		if i == rows/2 {
			n = hub
		}
		for range n {
			a.Indices = append(a.Indices, int32(r.IntN(cols)))
			a.Values = append(a.Values, float32(r.NormFloat64()))
		}
		a.Indptr = append(a.Indptr, int64(len(a.Indices)))
	}
	return a
}

// spmmByDefinition is row i, column j of A·X.
func spmmByDefinition(s *SpMM, i, j int) (sum float32, exact, size float64) {
	begin, end := s.A.Indptr[i], s.A.Indptr[i+1]
	x, v := make([]float32, end-begin), ones(int(end-begin))
	for e := begin; e < end; e++ {
		x[e-begin] = s.X[int(s.A.Indices[e])*s.XStride+j]
		if s.A.Values != nil {
			v[e-begin] = s.A.Values[e]
		}
		exact += float64(v[e-begin]) * float64(x[e-begin])
		size += math.Abs(float64(v[e-begin]) * float64(x[e-begin]))
	}
	return sumByDefinition(v, x), exact, size
}

func TestSpMMFollowsTheDefinitionBitForBit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	widths := []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 47, 48, 63, 64, 65, 67, 100, 128, 130, 200, 257}
	if race.Enabled {
		widths = []int{1, 7, 16, 33, 67, 130}
	}
	for n, width := range widths {
		hub := []int{0, Chunk, Chunk + 1, 3*Chunk + 5}[n%4]
		s := &SpMM{A: randomCSR(r, 40, 30, 8, hub), Width: width, XStride: width + n%3, YStride: width + n%2, Accumulate: n%5 == 4}
		if n%4 == 1 {
			s.A.Values = nil
		}
		for _, place := range []func(x []float32) []float32{slices.Clone[[]float32], func(x []float32) []float32 { return guardCopies(t, x)[0] }, func(x []float32) []float32 { return guardCopies(t, x)[1] }} {
			s.X = place(randomMat(r, 1, 29*s.XStride+width, byRows, 0, 0).Data)
			start := randomMat(r, 1, 39*s.YStride+width, byRows, 0, 0).Data
			s.Y = place(start)
			a := s.A
			if a.Values != nil {
				a.Values = place(a.Values)
			}
			// The same entries, right before a page that nobody may touch.
			indices := guardEnd[int32](t, len(a.Indices))
			copy(indices, a.Indices)
			a.Indices = indices
			s.A = a
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			// The oracle is slow: each element once for all levels and workers.
			type element struct {
				want        float32
				exact, size float64
			}
			elements := make([]element, len(s.Y))
			for e := range elements {
				i, j := e/s.YStride, e%s.YStride
				if j >= width {
					continue
				}
				x := &elements[e]
				x.want, x.exact, x.size = spmmByDefinition(s, i, j)
				if s.Accumulate {
					x.want += start[e]
					x.exact += float64(start[e])
					x.size += math.Abs(float64(start[e]))
				}
			}
			for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
				for _, p := range pools {
					copy(s.Y, start)
					s.run(p, level)
					for e, got := range s.Y {
						i, j := e/s.YStride, e%s.YStride
						x, between := elements[e], j >= width
						if between && got == start[e] || !between && (level == Generic || got == x.want) && math.Abs(float64(got)-x.exact) <= 32*0x1p-24*x.size {
							continue
						}
						t.Fatalf("width %d, hub %d, level %v, %d workers: Y[%d,%d] is %v, want %v (%v); between rows: %v", width, hub, level, p.Workers(), i, j, got, x.want, x.exact, between)
					}
				}
			}
		}
	}
}

func TestSpMMOfARangeOfRowsHasTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	const width = 20
	a := randomCSR(r, 60, 50, 20, 700)
	x := randomMat(r, 50, width, byRows, 0, 0).Data
	whole, part := make([]float32, 60*width), make([]float32, 60*width)
	(&SpMM{A: a, X: x, Y: whole, XStride: width, YStride: width, Width: width}).Run(nil)
	for lo := 0; lo < 60; lo += 23 {
		hi := min(lo+23, 60)
		b := a
		b.Indptr, b.Rows = a.Indptr[lo:hi+1], hi-lo
		s := &SpMM{A: b, X: x, Y: part[lo*width:], XStride: width, YStride: width, Width: width}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		s.Run(nil)
	}
	if !slices.Equal(whole, part) {
		t.Error("ranges of rows give other bits than all rows at once")
	}
	// Columns from the middle.
	(&SpMM{A: a, X: x[3:], Y: part[3:], XStride: width, YStride: width, Width: 9}).Run(nil)
	if !slices.Equal(whole, part) {
		t.Error("some of the columns give other bits than all at once")
	}
}

func TestBrokenSparseMatricesAreNamed(t *testing.T) {
	for _, c := range []struct {
		a    CSR
		want string
	}{
		{CSR{Indptr: []int64{0, 1}, Indices: []int32{3}, Rows: 1, Cols: 3}, "entry 0 stands in column 3"},
		{CSR{Indptr: []int64{0, 1}, Indices: []int32{-1}, Rows: 1, Cols: 3}, "entry 0 stands in column -1"},
		{CSR{Indptr: []int64{0, 2, 1}, Indices: []int32{0, 1}, Rows: 2, Cols: 3}, "row 1 has the entries 2 to 1"},
		{CSR{Indptr: []int64{0, 3}, Indices: []int32{0, 1}, Rows: 1, Cols: 3}, "row 0 has the entries 0 to 3"},
		{CSR{Indptr: []int64{0}, Rows: 1, Cols: 3}, "Indptr has 1 elements"},
		{CSR{Indptr: []int64{0, 1}, Indices: []int32{0}, Values: []float32{}, Rows: 1, Cols: 3}, "0 values for 1 entries"},
	} {
		err := c.a.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want %q in it", err, c.want)
		}
	}
}
