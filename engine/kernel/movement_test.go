package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// places are where the operands of a test lie: anywhere, and at both kinds of guard pages.
func places(t *testing.T, x []float32) [][]float32 {
	c := guardCopies(t, x)
	return [][]float32{append(make([]float32, 3), x...)[3:], c[0], c[1]}
}

func TestTransposeMovesEveryElement(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	p := NewPool(3)
	defer p.Close()
	sizes := [][2]int{{1, 1}, {16, 16}, {48, 64}, {200, 131}, {600, 70}, {3, 0}, {0, 3}}
	for n := 1; n <= 67; n++ {
		sizes = append(sizes, [2]int{n, 1 + r.IntN(67)})
	}
	for _, size := range sizes {
		rows, cols := size[0], size[1]
		x := randomMat(r, rows, cols, byRows, 0, 0).Data
		want := make([]float32, rows*cols)
		for i := range rows {
			for j := range cols {
				want[j*rows+i] = x[i*cols+j]
			}
		}
		dsts := places(t, make([]float32, rows*cols))
		for i, src := range places(t, x) {
			for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
				clear(dsts[i])
				k := &Transpose{Dst: dsts[i], X: src, Rows: rows, Cols: cols}
				if err := k.Check(); err != nil {
					t.Fatal(err)
				}
				k.run(p, level)
				if !slices.Equal(k.Dst, want) {
					t.Fatalf("%d×%d, level %v: wrong", rows, cols, level)
				}
			}
		}
	}
}

func TestCopyBlockLeavesTheRestAlone(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	const rows, cols = 300, 33
	x := make([]float32, (rows-1)*50+cols)
	for i := range x {
		x[i] = float32(i + 1)
	}
	dst := make([]float32, rows*40)
	k := &CopyBlock{Dst: dst[7:], X: x, Rows: rows, Cols: cols, DstStride: 40, XStride: 50}
	if err := k.Check(); err != nil {
		t.Fatal(err)
	}
	k.Run(p)
	for n, got := range dst {
		i, j := (n-7+40)/40-1, (n-7+40)%40
		want := float32(0)
		if n >= 7 && j < cols {
			want = x[i*50+j]
		}
		if got != want {
			t.Fatalf("element %d is %v, want %v", n, got, want)
		}
	}
	k.DstStride = 32
	if k.Check() == nil {
		t.Error("rows of 33 elements 32 apart pass the check")
	}
}

func TestGatherAndScatterAddFollowTheIDs(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	pools := []*Pool{nil, NewPool(2), NewPool(3), NewPool(7)}
	for _, p := range pools {
		defer p.Close()
	}
	for _, cols := range []int{1, 2, 8, 15, 16, 17, 33, 64, 100, 128, 300} {
		const tableRows = 50
		ids := make([]int32, 700)
		for i := range ids {
			ids[i] = int32(r.IntN(tableRows+1)) - 1
			if i%3 == 0 {
				ids[i] = 4 // one that all want
			}
		}
		table := randomMat(r, tableRows, cols, byRows, 1, 0).Data
		src := randomMat(r, len(ids), cols, byRows, 1, 0).Data
		gathered, added := make([]float32, len(ids)*cols), slices.Clone(table)
		for i, id := range ids {
			if id < 0 {
				continue
			}
			for j := range cols {
				gathered[i*cols+j] = table[int(id)*cols+j]
				added[int(id)*cols+j] += src[i*cols+j]
			}
		}
		for _, p := range pools {
			for place, table := range places(t, table) {
				g := &Gather{Dst: places(t, make([]float32, len(ids)*cols))[place], Table: table, IDs: ids, Cols: cols}
				for i := range g.Dst {
					g.Dst[i] = 7
				}
				if err := g.Check(); err != nil {
					t.Fatal(err)
				}
				g.Run(p)
				where := fmt.Sprintf("%d columns, %d workers", cols, p.Workers())
				if !slices.Equal(g.Dst, gathered) {
					t.Fatalf("%s: Gather is wrong", where)
				}
				for level := Generic; level <= min(HardwareLevel(), AVX512); level++ {
					s := &ScatterAdd{Dst: places(t, table)[place], Src: places(t, src)[place], IDs: ids, DstRows: tableRows, Cols: cols}
					if err := s.Check(); err != nil {
						t.Fatal(err)
					}
					s.run(p, level)
					if !slices.Equal(s.Dst, added) {
						t.Fatalf("%s, level %v: ScatterAdd is wrong", where, level)
					}
				}
			}
		}
	}
}

func TestIDsBeyondTheTablePanic(t *testing.T) {
	for name, run := range map[string]func(){
		"Gather": func() {
			(&Gather{Dst: make([]float32, 4), Table: make([]float32, 8), IDs: []int32{2}, Cols: 4}).Run(nil)
		},
		"ScatterAdd": func() {
			(&ScatterAdd{Dst: make([]float32, 9), Src: make([]float32, 4), IDs: []int32{2}, DstRows: 2, Cols: 4}).Run(nil)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s takes an id beyond the table", name)
				}
			}()
			run()
		}()
	}
}
