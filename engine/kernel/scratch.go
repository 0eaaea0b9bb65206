package kernel

import (
	"fmt"
	"sync"
)

// scratch is working memory that kernels reuse from call to call: it only grows. It begins on a cache line.
type scratch struct {
	mem    []float32
	mapped []byte
}

// Reserve makes sure that the pool has the given bytes of working memory, as the largest ScratchBytes of the kernels that
// will run on it says. Without it, the memory grows when a kernel first needs it.
func (p *Pool) Reserve(bytes int) error {
	if p == nil {
		return nil
	}
	return p.scratch.grow((bytes + 3) / 4)
}

func (s *scratch) grow(floats int) error {
	if floats <= len(s.mem) {
		return nil
	}
	s.free()
	mem, mapped, err := mapScratch(floats)
	if err != nil {
		return fmt.Errorf("working memory of %d bytes for kernels: %w", 4*floats, err)
	}
	s.mem, s.mapped = mem, mapped
	return nil
}

// idle holds the working memory of kernels that run without a pool.
var idle = sync.Pool{New: func() any { return new(scratch) }}

// borrow returns working memory of the given number of floats, whose contents are undefined, and what to give back.
func (p *Pool) borrow(floats int) ([]float32, *scratch) {
	if p != nil {
		if err := p.scratch.grow(floats); err != nil {
			panic("kernel: " + err.Error())
		}
		return p.scratch.mem[:floats], nil
	}
	s := idle.Get().(*scratch)
	if len(s.mem) < floats {
		s.mem = alignedFloats(floats)
	}
	return s.mem[:floats], s
}

// giveBack ends the use of what borrow returned.
func giveBack(s *scratch) {
	if s != nil {
		idle.Put(s)
	}
}
