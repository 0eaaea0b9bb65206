// Package convert writes what one format holds in another of its kind:
//
//	graphs, from any format that Seraph reads    → ogb (a folder), edgelist, sgraph
//	tables, csv and parquet                      → csv, parquet
//	arrays, npy, npz and safetensors             → npy, npz, safetensors
//
// What the other format has no place for is left out with a note, never silently. Nothing that exists is overwritten, and
// what is written appears whole or not at all. Tables pass through memory in blocks of rows, arrays and
// graphs whole; graph.Conversion makes a Seraph graph within a budget.
package convert
