// Package safetensors reads and writes Hugging Face's safetensors files, alone or as shards with an index:
//
//	8 bytes   N, the length of the header, little-endian
//	N bytes   JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {"key": "text"}}
//	the rest  the tensors' bytes, row-major, little-endian; data_offsets count from here
//
// A file is refused unless its tensors cover the data exactly, without overlap and without holes, no name occurs twice, and
// every range has the length that shape and dtype demand. The header may be 100 MB long, as in the reference implementation.
// Tensors are read by position: a file larger than memory is fine.
package safetensors
