// Package edges sorts the edges of graphs that are larger than memory: from pairs of ids in any order to the rows of an
// adjacency matrix, ascending, without duplicates and self-loops unless these are to be kept, and symmetric where that is wanted.
//
// Pairs are collected in a buffer, sorted by radix on all workers and kept as compressed runs: in memory as long as there is
// room, then on disk, past the page cache. The runs are merged block by block: of each run some keys are decoded, all that
// are no larger than the smallest last one are sorted together. Too many runs for the memory are merged in several passes.
//
//	s, err := edges.NewSorter(edges.Options{Memory: 1 << 30, Spill: spill, Symmetric: true, Workers: 2})
//	err = edges.Add(s, us, vs)                   // as often as there are pairs, from any goroutine
//	counts, err := s.Rows(ctx, func(u uint64, neighbours []uint64) error { … })
//
// Ids are numbers below 2^48 and need not be dense. The rows depend on nothing but the set of pairs: neither on their order,
// nor on memory, workers or disk. All memory is one arena of Options.Memory bytes, touched as it is needed; the Go heap holds
// a few words a run.
package edges
