// Package parquet reads and writes tables in Apache Parquet: flat columns only. It follows the specification of
// apache/parquet-format; a file is
//
//	"PAR1"
//	column chunks: of each group of rows, each column's pages, one behind the other
//	footer: Thrift (compact protocol): schema, groups of rows, the place of every chunk
//	4 bytes: length of the footer, little-endian; "PAR1"
//
// Read are: the physical types all, with the logical types that are numbers or text; pages of version 1 and 2, with their
// checksums; the encodings PLAIN, RLE, dictionary, DELTA_… and BYTE_STREAM_SPLIT; plain, snappy, gzip and zstd compression.
// Nested and repeated columns, encryption and other compressions are refused by name. Written are optional columns of int64,
// float32, double and string, PLAIN and snappy.
//
// Everything is decoded here, within bounds, and not by a library: a run of a few bytes may stand for 2^31 values, and a
// decoder that is not told how many there can be allocates them before anyone can object. Ranges of chunks, sizes of pages,
// numbers of values and lengths of runs are verified before they are used; what one file inflates to is limited.
package parquet
