package edges

import "math"

// Plan is what sorting takes, as far as it is known before.
type Plan struct {
	Memory  int64 // bytes at most: those of the options, or what so few pairs touch
	Runs    int   // before merging; 0 when all stays in one buffer
	Merges  int   // of runs into one on disk, before the rows are read
	Disk    int64 // bytes on disk at most
	Written int64 // bytes to disk
	Read    int64 // bytes from disk, for reading the rows once
}

// NewPlan predicts sorting so many pairs of so many ids that are equally likely: others give shorter runs, and duplicates
// fewer.
func NewPlan(o Options, pairs int64, ids int64) Plan {
	l := newLayout(blocks(o.Memory))
	words := 1
	if ids > 1<<32 {
		words = 2
	}
	keys := float64(pairs)
	if o.Symmetric {
		keys *= 2
	}
	room := float64(l.sort / 16 / int64(words))
	fixed := l.staging
	if keys <= room-2 {
		return Plan{Memory: int64(16*keys)*int64(words) + fixed + l.row}
	}
	p := Plan{Memory: o.Memory, Runs: int(math.Ceil(keys / room))}
	each := int64(room * keyLength(room, float64(ids)))
	inMemory := 0
	if each > 0 {
		inMemory = int(min(l.kept/each, int64(p.Runs)))
	}
	onDisk := p.Runs - inMemory
	p.Written = int64(onDisk) * each
	p.Disk = p.Written
	sizes := make([]int64, onDisk)
	for i := range sizes {
		sizes[i] = each
	}
	for {
		n := l.pass(inMemory+len(sizes), len(sizes), words)
		if n == 0 {
			break
		}
		var sum int64
		for _, bytes := range sizes[:n] {
			sum += bytes
		}
		p.Merges++
		p.Written += sum
		p.Read += sum
		p.Disk = max(p.Disk, total(sizes)+sum)
		sizes = append(sizes[n:], sum)
	}
	p.Read += total(sizes)
	return p
}

func total(sizes []int64) (sum int64) {
	for _, n := range sizes {
		sum += n
	}
	return sum
}

// keyLength is the expected length of a key in a run of so many, in bytes.
func keyLength(keys, ids float64) float64 {
	length := func(x float64) float64 { return math.Max(1, math.Ceil((math.Log2(math.Max(x, 1))+1)/7)) }
	degree := keys / ids // in the run
	rows := math.Min(keys, ids*(1-math.Exp(-degree)))
	first := length(2*ids/rows) + length(ids)
	return (rows*first + (keys-rows)*length(2*ids*rows/keys)) / keys
}
