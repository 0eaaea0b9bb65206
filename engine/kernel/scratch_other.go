//go:build !linux

package kernel

// mapScratch returns n floats.
func mapScratch(n int) ([]float32, []byte, error) { return alignedFloats(n), nil, nil }

// free gives the memory back.
func (s *scratch) free() { s.mem = nil }
