// Package memory is the budget of a job and everything that counts against it: how much there is, where it goes, and how
// the rest passes through the disk without hiding in the page cache.
//
//   - [Limits], [DefaultBudget] and [CPUs] say what the machine and its control groups allow; [ParseSize] and [FormatSize]
//     read and write sizes.
//   - [Arena] is one off-heap region whose addresses come from a plan. Tensors are slices of it; nothing in it is seen by
//     the garbage collector, and it goes when its owner says so.
//   - [LimitGoHeap] holds the Go heap to what the arenas and the code leave; [PeakRSS], [RSS] and [Baseline] are the
//     figures that the promise "it fits" is checked by.
//   - [File] reads and writes at positions past the page cache; [AtomicFile] replaces a file whole or not at all;
//     [Spill] is a bounded space of temporary files on the disk named by --disk.
//
// Sizes and offsets are bytes. With the build tag seraphcheck, released ranges and closed arenas become inaccessible, so
// that a read of memory that is no longer owned stops the program instead of returning old numbers.
//
// Pages and tiers find their place here: an arena is the memory tier's frames, a spill file the disk tier's, and a page is
// a range that moves between the two through File.ReadAt and File.WriteAt, whose aligned transfers copy nothing. What
// moves when is decided by engine/plan; this package decides nothing.
package memory
