// Package graph holds network graphs for node classification: storage, cleaning, normalisation, splits, the propagation of
// features over hops, and a generator.
//
//   - [New] cleans what a reader of format found into a [Graph]: undirected, without duplicates and self-loops, all
//     components or the largest one.
//   - [Graph.Normalize] gives the operator Â = D̃^(r−1) Ã D̃^(−r) of SGC, SIGN and their relatives, of the edges or of the
//     triangles through them.
//   - [ParseSplit] and [SplitRule.Draw] say which nodes train, validate and test.
//   - [Propagation] computes the hops H_k = Â^k X, k = 0 … K, those of personalised PageRank, or a weighted sum of either, in
//     blocks of feature columns: wholly in memory, or with the hops on disk when they are larger than the budget. No way of
//     doing it changes a bit of the result.
//   - [Smoothing] finds how many hops each node is to be smoothed over, and averages them (NDLS).
//   - [BlockModel] generates graphs of any size from a seed.
//
// Nodes are numbered 0 … Nodes−1 within the component that was kept, in ascending order of their original numbers; splits
// and predictions count so. Memory is counted in bytes; matrices are row-major, one row a node.
//
// Models and their training stand in graph/sgap.
package graph
