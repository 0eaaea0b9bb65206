// Package sgraph reads and writes Seraph's own graphs on disk, which may be far larger than memory: docs/formats.md
// specifies them byte by byte. Files are read with positional reads past the page cache into buffers of the caller, never
// mapped, and every 64 KiB block is verified against its checksum before it is looked at.
//
//	f, err := sgraph.Open(path)                   // head and foot alone
//	r, err := f.Reader(make([]byte, 1<<20))       // one for each goroutine
//	err = sgraph.Neighbours(r, first, end, &rows) // whole rows, as many as fit
//	err = r.ReadFeatures(first, dst)              // as graph.Features.Read
//
// [Read] and [Write] are for graphs that fit in memory, [Writer] streams, [Check] verifies everything.
package sgraph
