//go:build !amd64

package kernel

// wholeStrip transposes the strip of rows from i0 on.
func (t *transposeStrips) wholeStrip(i0 int) { t.part(i0, transposeStrip, 0) }
