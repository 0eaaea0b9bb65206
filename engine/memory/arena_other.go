//go:build !linux

package memory

// adviseHuge does nothing: the system chooses page sizes by itself.
func adviseHuge(mem []byte) {}
