package memory

import "sync"

// The buffers through which unaligned transfers pass. They are made when first needed and kept; Baseline counts them.
const (
	bounceCount = 4
	bounceBytes = 512 << 10
)

var bounces = sync.OnceValues(func() (chan []byte, error) {
	arena, err := NewArena(bounceCount * bounceBytes)
	if err != nil {
		return nil, err
	}
	free := make(chan []byte, bounceCount)
	for i := range int64(bounceCount) {
		free <- arena.Bytes(i*bounceBytes, bounceBytes)
	}
	return free, nil
})

// takeBounce waits for a buffer of bounceBytes that begins at a block.
func takeBounce() ([]byte, error) {
	free, err := bounces()
	if err != nil {
		return nil, err
	}
	return <-free, nil
}

func giveBounce(b []byte) {
	free, _ := bounces()
	free <- b
}
