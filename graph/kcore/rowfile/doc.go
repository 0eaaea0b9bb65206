// Package rowfile keeps the rows of a graph on disk, compressed, for algorithms that pass over all of them again and again.
//
// A file is a page with the magic "SRPHROWS" and a version, then blocks, each padded to whole pages. A block is
//
//	uint32 CRC-32C of what follows | uint32 bytes in all | uint32 first vertex | uint32 number of rows | rows
//
// little endian, and a row is varints: its vertex less the one before it in the block (less the first of the block), its
// degree, and where that is not 0 the bytes of its neighbours and these: the first one, then each less the one before it.
// Rows ascend, and the neighbours in them; a row lies in one block. Where the blocks lie is in the [Index], which is kept
// apart: a file counts only with its index.
//
// [Writer] writes, [File.Pass] reads blocks with several workers and gives them back in order, [Rows] walks a block and
// [Unpack] decodes neighbours. A block can be made smaller where it stands: what is left of a row, and of its neighbours, is
// never longer than what was there.
package rowfile
