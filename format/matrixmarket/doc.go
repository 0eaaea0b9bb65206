// Package matrixmarket reads square sparse matrices in the coordinate format of Matrix Market (Boisvert, Pozo, Remington,
// NIST 1996), as in the SuiteSparse collection, as graphs: entry (i, j) is an edge from node i − 1 to node j − 1.
//
//	%%MatrixMarket matrix coordinate FIELD SYMMETRY     FIELD pattern, real or integer; SYMMETRY general, symmetric or skew-symmetric
//	% comments
//	rows columns entries
//	i j [value]                                         one line an entry, counted from 1
//
// Of a symmetric matrix the file holds one half; the other is added here, since the file means it. Matrices in the array
// format (dense), complex and Hermitian ones are refused. The file may be compressed (.gz, .zst).
package matrixmarket
