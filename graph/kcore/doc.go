// Package kcore finds the core number of every vertex of a graph: the largest k such that the vertex lies in a subgraph
// where everybody has at least k neighbours.
//
//   - [Read] makes a [Graph] in memory of files of edges: undirected, without self-loops and duplicates; [FromPairs] of pairs.
//   - [Peel] is the sequential engine, [PeelParallel] the one for several threads.
//   - [Order] is the degeneracy order, the same whoever computed the core numbers.
//   - [Verify] proves core numbers right from graph and order alone, in one pass, whatever the algorithm was.
//   - [Result] summarises, hashes and writes.
//
// Core numbers are c(v) = max k with v in the k-core. Vertices are numbered 0 … Nodes−1 inside; [Graph.ID]
// is what the file calls them. Results are in the order of ids.
package kcore
