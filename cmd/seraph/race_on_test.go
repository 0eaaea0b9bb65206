//go:build race

package main

// underRace says that the race detector's own memory counts, which no plan foresees.
const underRace = true
