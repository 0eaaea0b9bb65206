package graph

import "github.com/seraph-ml/seraph/engine/kernel"

// Streams of random numbers: one for each use.
const (
	splitStream = 0x73706c6974 // "split"
)

// shuffle puts a random choice of the ids in random order at the front, the first of them (Fisher and Yates).
func shuffle(ids []int32, first int, key kernel.Key) {
	random := key.Draw()
	for i := range first {
		j := i + int(random.Below(uint64(len(ids)-i)))
		ids[i], ids[j] = ids[j], ids[i]
	}
}
