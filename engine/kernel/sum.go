package kernel

// Chunk is the number of terms that a sum over k takes in one chain before chunk sums are combined by the binary tree.
// Every split of k (over threads, ranks, micro-batches, token blocks) must fall on a multiple of it.
const Chunk = 512
