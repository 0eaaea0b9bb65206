// Package kernel holds Seraph's numeric kernels on slices: portable Go, which is the reference, and assembly for AVX2 and
// AVX-512 (and AVX512-BF16 and AMX for bfloat16 products), chosen at start-up from what the processor has.
// It knows nothing of tensors: sizes, strides and plain slices come in.
//
// # The definition of a sum
//
// Every sum has a fixed order, so that its bits do not depend on threads, blocks, or how many rows are computed together:
//
//   - A sum over k (matrix product, reduction over rows) is cut into chunks of [Chunk] terms aligned to the global index.
//     Inside a chunk one chain of fused multiply-adds runs in increasing k; the chunk sums are combined by a fixed
//     binary tree over the chunk index (a binary counter: neighbours first).
//   - A sum along a contiguous axis (softmax, norms, losses) runs in 16 interleaved lanes, lane i taking elements
//     i, i+16, …, combined by a fixed tree: lanes i and i+8, then i and i+4, i and i+2, i and i+1.
//   - A sum of several matrices, element by element, is one chain in their order, rounded after every product and sum.
//
// AVX2 and AVX-512 give identical float32 bits. The portable kernels write float32(x*y)+z, which no compiler fuses, and
// agree within a bound stated by their tests.
//
// A bfloat16 product has the chunks and the tree of a float32 one. Operands in float32 are first rounded, to nearest even.
// Inside a chunk the levels differ, so bits hold within a [Level]:
//
//   - Generic, AVX2 and AVX512 run the float32 chain, where every product of two terms is exact.
//   - AVX512BF16 runs a chain over pairs of terms 2i and 2i+1, one VDPBF16PS each.
//   - AMX runs a chain over groups of 32 terms, one TDPBF16PS each: it adds up the even terms and the odd terms, then both
//     sums, then that to the chain.
//
// Terms that are missing from the last pair or group are zeros. The instructions take denormal terms and sums for zero.
//
//go:generate go run ./gen
package kernel
