//go:build !(linux && amd64)

package kernel

// tilesAllowed says that AMX tiles are used on Linux alone.
func tilesAllowed() bool { return false }
