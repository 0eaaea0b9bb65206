// Package tensor names what a number array is: element type, shape with symbolic sizes, and the memory it lies in. It
// computes nothing; kernels take the plain slices that a [Tensor] hands out.
package tensor
