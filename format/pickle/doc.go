// Package pickle reads a closed subset of Python's pickle format, protocols 2 and 3: what the planetoid files and npz
// files with SciPy matrices consist of. It executes nothing. An opcode or a global outside the lists in opcode.go and
// global.go is refused, so a pickle that carries code, or anything but plain data and arrays, is an error.
//
// A pickle is a program for a stack machine with a memo; the machine here knows only how to build these values:
//
//	None, bool, int          nil, bool, int64
//	unicode                  string
//	Python 2 str, bytes      []byte, sharing the memory of the file's content
//	tuple, list, dict        Tuple, *List, *Dict (collections.defaultdict(list) too)
//	numpy.ndarray            *Array, sharing the memory of the file's content
//	scipy csr_matrix         *CSR
package pickle
