// Package npy reads and writes NumPy's .npy arrays and .npz archives: versions 1.0, 2.0 and 3.0, C and Fortran order,
// little and big endian, element types f2 f4 f8, i1 … i8, u1 … u8, b1 and fixed-width U text (UTF-32). Arrays of pickled
// objects (|O) are never decoded: their bytes are kept in Array.Data for a reader that asks (package pickle). The format is
// NumPy's numpy/lib/format.py.
//
// An array bigger than memory is read by Open and ReadRows, a block of rows at a time.
package npy
