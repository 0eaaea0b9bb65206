//go:build !amd64

package kernel

func (s *SpMM) tileColumns(Level) int { return stripe }

func (s *spmmRanges) rows(first, end, j0, n int) { s.portableRows(first, end, j0, n) }

func (s *spmmRanges) entries(acc *[stripe]float32, begin, end int64, j0, n int) {
	s.portableEntries(acc, begin, end, j0, n)
}
