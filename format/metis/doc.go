// Package metis reads graphs in the format of METIS (Karypis and Kumar), which the partitioning and clustering communities
// share. The first line holds the number of nodes and of edges and, optionally, three digits and a number:
//
//	n m [fmt [ncon]]
//
// fmt is "svw": s = 1, each node has a size; v = 1, each node has ncon weights (one, where ncon is absent); w = 1, each edge
// has a weight. Line i of those that follow describes node i, counted from 1:
//
//	[size] [weight …] neighbour [edge weight] neighbour [edge weight] …
//
// Each edge is listed under both of its nodes, and m counts it once. A blank line is a node without an edge. Lines that
// begin with % are comments. The file may be compressed (.gz, .zst).
package metis
