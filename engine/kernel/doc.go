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
//
// AVX2 and AVX-512 give identical float32 bits. The portable kernels write float32(x*y)+z, which no compiler fuses, and
// agree within a bound stated by their tests. bfloat16 bits hold within a level, see [Level].
//
//go:generate go run ./gen
package kernel
