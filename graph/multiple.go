package graph

import "github.com/seraph-ml/seraph/engine/kernel"

// multiple computes y_i = alpha·y_i + beta·x_i, as a task: a unit is a row. Both products and their sum are rounded to
// float32. Where alpha is 0, y is not read.
type multiple struct {
	y           strip
	alpha, beta float32
	x           operand
	width       int
}

// operand is the rows of a block: row i is number at[i] (at nil: number i) of a strip or, where there is a source, of the
// features, whose column lo is the first of the block.
type operand struct {
	strip
	source *source
	at     []int32
	lo     int
}

// madeColumns is how many columns of a row are made from the features at a time: they stay in the first cache.
const madeColumns = 512

// Do computes rows lo to hi.
func (m *multiple) Do(_, lo, hi int) {
	sum, alone := kernel.Axpby{Alpha: m.alpha, Beta: m.beta}, kernel.Scale{Alpha: m.beta}
	step := m.width
	var room []float32
	if m.x.source != nil {
		step = min(madeColumns, m.width)
		room = make([]float32, step)
	}
	for i := lo; i < hi; i++ {
		row := m.y.data[i*m.y.stride:][:m.width]
		for c := 0; c < m.width; c += step {
			end := min(c+step, m.width)
			x, y := m.x.columns(i, c, end, room), row[c:end]
			if m.alpha == 0 {
				alone.Dst, alone.X = y, x
				alone.Run(nil)
				continue
			}
			sum.Dst, sum.A, sum.B = y, y, x
			sum.Run(nil)
		}
	}
}

// columns returns columns c … end−1 of row i of a block, in room where they are made from the features.
func (o *operand) columns(i, c, end int, room []float32) []float32 {
	at := int(original(o.at, i))
	if o.source == nil {
		return o.data[at*o.stride:][c:end]
	}
	x := room[:end-c]
	o.source.row(x, at, o.lo+c, o.lo+end)
	return x
}
