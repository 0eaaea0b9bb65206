package program

import "github.com/seraph-ml/seraph/engine/kernel"

// Initializer fills a persistent tensor of the given sizes at the start, with random numbers drawn under the key where it
// needs any. Package nn has the field's.
type Initializer func(dst []float32, dims []int, key kernel.Key)
