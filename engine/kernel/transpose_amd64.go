package kernel

// transposeColumns is the number of columns that are transposed in one go where a strip is two vectors high: so few that the
// cache lines that the first fills to the half are there for the second.
const transposeColumns = 64

// wholeStrip transposes the strip of rows from i0 on.
func (t *transposeStrips) wholeStrip(i0 int) {
	whole := t.Cols / 4 * 4
	if t.level == Generic || whole == 0 {
		t.part(i0, transposeStrip, 0)
		return
	}
	ld, step := 4*t.Cols, 4*t.Rows
	for j := 0; j < whole; j += transposeColumns {
		quads := min(transposeColumns, whole-j) / 4
		if t.level >= AVX512 {
			packColumnsAVX512(&t.Dst[j*t.Rows+i0], &t.X[i0*t.Cols+j], ld, quads, step)
			continue
		}
		for i := i0; i < i0+transposeStrip; i += 8 {
			packColumnsAVX2(&t.Dst[j*t.Rows+i], &t.X[i*t.Cols+j], ld, quads, step)
		}
	}
	t.part(i0, transposeStrip, whole)
}
