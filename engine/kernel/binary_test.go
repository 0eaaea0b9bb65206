package kernel

import "testing"

func TestBroadcastCombinesEveryRow(t *testing.T) {
	r := randSource(1)
	for _, size := range [][2]int{{1, 1}, {5, 3}, {3, 67}, {700, 33}} {
		rows, cols := size[0], size[1]
		x, row, dst := awkward(r, rows*cols), awkward(r, cols), make([]float32, rows*cols)
		for op, f := range map[BinaryOp]func(a, b float32) float32{
			Add: func(a, b float32) float32 { return a + b },
			Sub: func(a, b float32) float32 { return a - b },
			Mul: func(a, b float32) float32 { return a * b },
		} {
			for _, level := range testLevels() {
				(&Broadcast{Dst: dst, X: x, Row: row, Op: op}).run(nil, level)
				for i, got := range dst {
					if want := f(x[i], row[i%cols]); !sameBits(got, want) {
						t.Fatalf("%v, level %v, %d×%d: element %d is %v, want %v", op, level, rows, cols, i, got, want)
					}
				}
			}
		}
	}
}

func TestBinariesAreSplitWithoutChangingABit(t *testing.T) {
	n := 3 * elementGrain
	r := randSource(2)
	a, b, dst := awkward(r, n), awkward(r, n), make([]float32, n)
	var cases []taskCase
	for op := range binaryOps {
		k := &Binary{Dst: dst, A: a, B: b, Op: op}
		c := &Broadcast{Dst: dst, X: a, Row: b[:96], Op: op}
		cases = append(cases,
			taskCase{op.String(), func(p *Pool, level Level) []float32 { k.run(p, level); return dst }},
			taskCase{op.String() + " to rows", func(p *Pool, level Level) []float32 { c.run(p, level); return dst }})
	}
	s := &Axpby{Dst: dst, A: a, B: b, Alpha: 2, Beta: -0.3}
	m := &Scale{Dst: dst, X: a, Alpha: 0.3}
	checkTasks(t, append(cases,
		taskCase{"αa + βb", func(p *Pool, level Level) []float32 { s.run(p, level); return dst }},
		taskCase{"scale", func(p *Pool, level Level) []float32 { m.run(p, level); return dst }}))
}
