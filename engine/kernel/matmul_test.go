package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seraph-ml/seraph/internal/race"
)

// fma32 is x·y + z rounded once to float32. The product is exact in float64; the sum is rounded to odd there, which keeps
// what the second rounding needs to know.
func fma32(x, y, z float32) float32 {
	p := float64(x) * float64(y)
	s := p + float64(z)
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return float32(s)
	}
	t := s - p
	err := (p - (s - t)) + (float64(z) - t)
	if err != 0 && math.Float64bits(s)&1 == 0 {
		if (err > 0) == (s > 0) {
			s = math.Float64frombits(math.Float64bits(s) + 1)
		} else {
			s = math.Float64frombits(math.Float64bits(s) - 1)
		}
	}
	return float32(s)
}

// sumByDefinition is the sum over k of the products a·b as the package defines it.
func sumByDefinition(a, b []float32) float32 {
	var chunks []float32
	for k0 := 0; k0 < len(a); k0 += Chunk {
		var acc float32
		for k := k0; k < min(k0+Chunk, len(a)); k++ {
			acc = fma32(a[k], b[k], acc)
		}
		chunks = append(chunks, acc)
	}
	return tree(chunks)
}

// tree adds by the binary tree: the largest power of two of terms that leaves some, then the rest.
func tree(x []float32) float32 {
	switch len(x) {
	case 0:
		return 0
	case 1:
		return x[0]
	}
	half := 1
	for 2*half < len(x) {
		half *= 2
	}
	return tree(x[:half]) + tree(x[half:])
}

// layout is how a test lays a matrix out: with the columns or the rows side by side, or neither.
type layout int

const (
	byRows layout = iota
	byColumns
	loose
)

// randomMat returns a matrix of normal numbers whose data begins off elements into its slice, with gaps of pad elements.
func randomMat(r *rand.Rand, rows, cols int, l layout, off, pad int) Mat {
	m := Mat{Rows: rows, Cols: cols}
	switch l {
	case byRows:
		m.RowStride, m.ColStride = cols+pad, 1
	case byColumns:
		m.RowStride, m.ColStride = 1, rows+pad
	default:
		m.RowStride, m.ColStride = 2*cols+3, 2
	}
	data := alignedFloats(off + m.view().need(1, 0))
	for i := range data {
		data[i] = float32(r.NormFloat64())
	}
	m.Data = data[off:]
	return m
}

func at(m Mat, i, j int) *float32 { return &m.Data[i*m.RowStride+j*m.ColStride] }

// between returns the first index of data, laid out as m, that is no element of m and differs from before, or −1.
func between(m Mat, data, before []float32) int {
	element := make([]bool, len(data))
	for i := range m.Rows {
		for j := range m.Cols {
			element[i*m.RowStride+j*m.ColStride] = true
		}
	}
	for i := range data {
		if !element[i] && data[i] != before[i] {
			return i
		}
	}
	return -1
}

// levels are the levels that this machine can run, but for the portable one, whose bits differ.
func levels() []Level {
	var l []Level
	for level := AVX2; level <= HardwareLevel(); level++ {
		l = append(l, level)
	}
	return l
}

func TestMatMulFollowsTheDefinitionBitForBit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pools := []*Pool{nil, NewPool(2), NewPool(3)}
	defer pools[1].Close()
	defer pools[2].Close()
	sizes := [][3]int{{1, 1, 1}, {1, 768, 40}, {700, 33, 20}, {130, 100, Chunk + 1}, {5, 40, 9*Chunk + 3}, {600, 70, 2*Chunk + 5}, {64, 64, 32}, {8, 256, 300}}
	small := 60
	if testing.Short() {
		small = 20
	}
	for range small {
		sizes = append(sizes, [3]int{1 + r.IntN(67), 1 + r.IntN(67), 1 + r.IntN(67)})
	}
	deep, single := 6, 27
	if race.Enabled {
		// The oracle would take most of the time: blocks and chunks enough for workers to meet, no more.
		sizes, deep = append(sizes[len(sizes)-small:], [3]int{130, 12, 2*Chunk + 5}, [3]int{300, 33, 20}), 0
		single = 9
	}
	for range deep {
		sizes = append(sizes, [3]int{1 + r.IntN(30), 1 + r.IntN(40), 1 + r.IntN(20*Chunk)})
	}
	for range single {
		sizes = append(sizes, [3]int{1, 64 + r.IntN(90), 1 + r.IntN(5*Chunk)})
	}
	for n, size := range sizes {
		rows, cols, k := size[0], size[1], size[2]
		mm := MatMul{
			A: randomMat(r, rows, k, layout(n%3), r.IntN(5), r.IntN(4)),
			B: randomMat(r, k, cols, layout(n/3%3), r.IntN(5), r.IntN(4)),
			C: randomMat(r, rows, cols, layout(n/9%3), r.IntN(5), r.IntN(4)),
		}
		before := append([]float32(nil), mm.C.Data...)
		mm.Accumulate = n%4 == 3
		if n%4 == 1 {
			mm.Bias = randomMat(r, 1, cols, byRows, 1, 0).Data
		}
		if n%8 == 5 {
			mm.Act = ReLU
			mm.PreAct = randomMat(r, rows, cols, layout(n/16%3), r.IntN(5), r.IntN(4))
		}
		if err := mm.Check(); err != nil {
			t.Fatal(err)
		}
		want, pre := make([]float32, rows*cols), make([]float32, rows*cols)
		for i := range rows {
			for j := range cols {
				x, y := make([]float32, k), make([]float32, k)
				for l := range k {
					x[l], y[l] = *at(mm.A, i, l), *at(mm.B, l, j)
				}
				s := sumByDefinition(x, y)
				if mm.Bias != nil {
					s += mm.Bias[j]
				}
				pre[i*cols+j] = s
				if mm.Accumulate {
					s += before[i*mm.C.RowStride+j*mm.C.ColStride]
				}
				want[i*cols+j] = activate(mm.Act, s)
			}
		}
		for _, level := range levels() {
			for _, pool := range pools {
				copy(mm.C.Data, before)
				mm.run(pool, level)
				name := fmt.Sprintf("%d×%d×%d, level %v, %d workers, strides %d %d, %d %d, %d %d", rows, cols, k, level, pool.Workers(),
					mm.A.RowStride, mm.A.ColStride, mm.B.RowStride, mm.B.ColStride, mm.C.RowStride, mm.C.ColStride)
				for i := range rows {
					for j := range cols {
						if got := *at(mm.C, i, j); math.Float32bits(got) != math.Float32bits(want[i*cols+j]) {
							t.Fatalf("%s: C[%d,%d] is %v, want %v", name, i, j, got, want[i*cols+j])
						}
						if mm.PreAct.Data != nil && *at(mm.PreAct, i, j) != pre[i*cols+j] {
							t.Fatalf("%s: PreAct[%d,%d] is %v, want %v", name, i, j, *at(mm.PreAct, i, j), pre[i*cols+j])
						}
					}
				}
				if i := between(mm.C, mm.C.Data, before); i >= 0 {
					t.Fatalf("%s: element %d between the rows of C was overwritten", name, i)
				}
			}
		}
	}
}
