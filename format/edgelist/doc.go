// Package edgelist reads graphs that are lists of edges, one a line: two node ids, separated by blanks, tabs or a comma,
// and perhaps more columns, of which one may be the weight. Lines that begin with # or % are comments, as in the files of
// SNAP and KONECT; a first line of names is skipped; lines may end in CRLF; the file may be compressed (.gz, .zst).
//
// [ReadPairs] and [ReadNames] read lists that are larger than memory; the latter takes any text for an id.
//
// Ids of [Read] are any whole numbers from 0 to 2^63 − 1. Node i of the graph is the i-th smallest id that occurs; a node without an
// edge cannot be told in this format.
package edgelist
