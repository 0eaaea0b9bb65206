//go:build race

// Package race says whether the race detector watches: its own memory then counts, which no plan foresees, and tests of
// memory make no sense.
package race

// Enabled reports whether this program was built with the race detector.
const Enabled = true
