package kernel

import (
	"fmt"
	"math"
)

// Dropout sets elements to 0 with probability P and scales the others by 1/(1−P). Whether element i is kept is a function
// of Key and Offset+i alone: a block of rows gives what the whole matrix gives, and the same kernel on gradients is its
// own backward pass. Dst and X have the same length, and may be the same slice. 0 ≤ P < 1. The bits are the same at every level.
type Dropout struct {
	Dst, X []float32
	P      float64
	Key    Key
	Offset uint64

	level Level
	mask  dropMask
}

// Check says what is wrong with the sizes or P. Run does not check.
func (d *Dropout) Check() error {
	if !(d.P >= 0 && d.P < 1) {
		return fmt.Errorf("dropout: P is %v, expected 0 ≤ P < 1", d.P)
	}
	return checkLengths("dropout", operandLength{"Dst", len(d.Dst)}, operandLength{"X", len(d.X)})
}

// Run computes Dst on the pool's workers.
func (d *Dropout) Run(p *Pool) { d.run(p, active) }

func (d *Dropout) run(p *Pool, level Level) {
	d.level = level
	d.mask = newDropMask(d.Key, d.P)
	p.For(len(d.Dst), elementGrain, (*dropoutTask)(d))
}

type dropoutTask Dropout

// Do computes elements lo to hi.
func (d *dropoutTask) Do(_, lo, hi int) {
	d.mask.row(d.level, d.Dst[lo:hi], d.X[lo:hi], d.Offset+uint64(lo))
}

// dropMask decides for every index whether it is dropped, and scales what is kept. The offsets stand in gen/dropout.go.
type dropMask struct {
	words     sequence
	threshold uint32 // an element is kept if its word is not below: P·2³²
	scale     float32
}

func newDropMask(key Key, p float64) dropMask {
	return dropMask{key.sequence(), uint32(min(math.Round(p*(1<<32)), math.MaxUint32)), float32(1 / (1 - p))}
}

// elements is the portable row.
func (d *dropMask) elements(dst, x []float32, offset uint64) {
	for i := 0; i < len(x); {
		w := d.words.block((offset + uint64(i)) / 4)
		for j := (offset + uint64(i)) % 4; j < 4 && i < len(x); j++ {
			if w[j] >= d.threshold {
				dst[i] = x[i] * d.scale
			} else {
				dst[i] = 0
			}
			i++
		}
	}
}
