package kernel

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// ascending makes the columns of every row ascend, each once.
func ascending(a CSR) CSR {
	b := CSR{Indptr: []int64{0}, Rows: a.Rows, Cols: a.Cols}
	for r := range a.Rows {
		row := slices.Clone(a.Indices[a.Indptr[r]:a.Indptr[r+1]])
		slices.Sort(row)
		row = slices.Compact(row)
		b.Indices = append(b.Indices, row...)
		b.Values = append(b.Values, a.Values[a.Indptr[r]:][:len(row)]...)
		b.Indptr = append(b.Indptr, int64(len(b.Indices)))
	}
	return b
}

// rangesOf finds the entries of each row in columns lo to hi.
func rangesOf(x CSR, lo, hi int) (begin, end []int64) {
	for r := range x.Rows {
		row := x.Indices[x.Indptr[r]:x.Indptr[r+1]]
		first, _ := slices.BinarySearch(row, int32(lo))
		last, _ := slices.BinarySearch(row, int32(hi))
		begin, end = append(begin, x.Indptr[r]+int64(first)), append(end, x.Indptr[r]+int64(last))
	}
	return begin, end
}

func TestSpGEMMHasTheBitsOfSpMM(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	for n, cols := range []int{1, 2, 3, 5, 16, 17, 63, 64, 65, 67, 130, 200} {
		a := randomCSR(r, 40, 30, 8, []int{0, Chunk, Chunk + 1, 3*Chunk + 5}[n%4])
		x := ascending(randomCSR(r, 30, cols, cols/2+1, 3*cols))
		if n%5 == 3 {
			a.Values = nil
		}
		dense := make([]float32, x.Rows*cols)
		for row := range x.Rows {
			for e := x.Indptr[row]; e < x.Indptr[row+1]; e++ {
				dense[row*cols+int(x.Indices[e])] = x.Values[e]
			}
		}
		// The entries, right before a page that nobody may touch.
		indices := guardEnd[int32](t, len(x.Indices))
		copy(indices, x.Indices)
		x.Indices = indices
		x.Values = guardCopies(t, x.Values)[0]
		for _, columns := range [][2]int{{0, cols}, {cols / 3, cols}, {cols / 4, cols - cols/3}, {0, cols / 2}} {
			lo, hi := columns[0], columns[1]
			stride := hi - lo + n%3
			begin, end := rangesOf(x, lo, hi)
			for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
				want := make([]float32, a.Rows*stride)
				if hi > lo {
					(&SpMM{A: a, X: dense[lo:], Y: want, XStride: cols, YStride: stride, Width: hi - lo}).run(nil, level)
				}
				for _, p := range pools {
					y := guardEnd[float32](t, (a.Rows-1)*stride+hi-lo)
					s := &SpGEMM{A: a, Begin: begin, End: end, Columns: x.Indices, X: x.Values, Lo: lo, Hi: hi, Y: y, YStride: stride}
					if err := s.Check(); err != nil {
						t.Fatal(err)
					}
					for i := range y {
						if i%stride < hi-lo {
							y[i] = 99 // what was there does not matter
						}
					}
					s.run(p, level)
					if !slices.Equal(y, want[:len(y)]) {
						t.Fatalf("columns %d to %d of %d, level %v, %d workers: other sums than SpMM's", lo, hi, cols, level, p.Workers())
					}
				}
			}
		}
	}
}

func TestSpGEMMRefusesWhatDoesNotFit(t *testing.T) {
	good := SpGEMM{
		A:     CSR{Indptr: []int64{0, 1}, Indices: []int32{1}, Rows: 1, Cols: 2},
		Begin: []int64{0, 0}, End: []int64{0, 2}, Columns: []int32{0, 2}, X: []float32{1, 1}, Hi: 3, Y: make([]float32, 3), YStride: 3,
	}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(s *SpGEMM){
		"A has 3 columns":                    func(s *SpGEMM) { s.A.Cols = 3 },
		"has column 2 after 0":               func(s *SpGEMM) { s.Hi = 2 },
		"columns -1 to 3":                    func(s *SpGEMM) { s.Lo = -1 },
		"rows of Y 2 apart":                  func(s *SpGEMM) { s.YStride = 2 },
		"Y":                                  func(s *SpGEMM) { s.Y = s.Y[:2] },
		"has column 2 after 2":               func(s *SpGEMM) { s.Columns = []int32{2, 2} },
		"row 1 of X has the entries 0 to 3":  func(s *SpGEMM) { s.End = []int64{0, 3} },
		"row 0 of X has the entries -1 to 0": func(s *SpGEMM) { s.Begin = []int64{-1, 0} },
	} {
		s := good
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
}

func TestSpGEMMAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	x := ascending(randomCSR(r, 30, 100, 20, 50))
	begin, end := rangesOf(x, 3, 90)
	s := &SpGEMM{
		A: randomCSR(r, 40, 30, 8, 700), Begin: begin, End: end, Columns: x.Indices, X: x.Values, Lo: 3, Hi: 90, Y: make([]float32, 40*87), YStride: 87,
	}
	pool := NewPool(2)
	defer pool.Close()
	s.Run(pool)
	if n := testing.AllocsPerRun(10, func() { s.Run(pool) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
