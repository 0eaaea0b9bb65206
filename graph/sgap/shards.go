package sgap

import (
	"slices"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

// shardRows is the number of training rows of a shard: a step takes its rows from few places on a disk, and yet from many
// of its classes, as shards are dealt at random. It is part of what a training is, not of how it is carried out.
const shardRows = 8192

// Streams of the order of training rows.
const (
	orderStream = 0x6f72646572 // "order": of the rows of shard s, with s above
	dealStream  = 0x6465616c   // "deal"
	shardStream = 0x7368617264 // "shard"
)

// deal distributes rows 0 … len(into)−1 over shards, those of shard s from s·shardRows on, ascending. It is the same in every
// epoch and for every seed: shards are fixed.
func deal(into []int32) {
	if len(into) <= shardRows {
		for i := range into {
			into[i] = int32(i)
		}
		return
	}
	shuffleBy(into, kernel.Key{Stream: dealStream})
	for lo := 0; lo < len(into); lo += shardRows {
		slices.Sort(into[lo:min(lo+shardRows, len(into))])
	}
}

// arrange is the order of an epoch, drawn by seed and epoch: shards are shuffled, and rows within each. into are places in
// what deal dealt. A single shard is one shuffle of all rows.
func arrange(into []int32, seed uint64, epoch int) {
	n := len(into)
	shards := make([]int32, (n+shardRows-1)/shardRows)
	if len(shards) > 1 {
		shuffleBy(shards, kernel.Key{Seed: seed, Stream: shardStream, Step: uint64(epoch)})
	}
	at := 0
	for _, s := range shards {
		lo := int(s) * shardRows
		part := into[at : at+min(shardRows, n-lo)]
		shuffleBy(part, kernel.Key{Seed: seed, Stream: orderStream | uint64(s)<<40, Step: uint64(epoch)})
		for i := range part {
			part[i] += int32(lo)
		}
		at += len(part)
	}
}

// shuffle orders 0 … n−1 at random, by seed and epoch.
func shuffle(order []int32, seed uint64, epoch int) {
	shuffleBy(order, kernel.Key{Seed: seed, Stream: orderStream, Step: uint64(epoch)})
}

func shuffleBy(order []int32, key kernel.Key) {
	for i := range order {
		order[i] = int32(i)
	}
	random := key.Sequence()
	for i := len(order) - 1; i > 0; i-- {
		w := random.Block(uint64(i))
		j := int((uint64(w[0])<<32 | uint64(w[1])) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
}

// places are the order of training rows.
type places struct {
	arena        *memory.Arena
	dealt, order []int32 // which row each place is, and the places of an epoch
}

// placesBytes is what places take.
func placesBytes(rows int) int64 { return 2 * aligned(4*int64(rows)) }

func newPlaces(rows int) (*places, error) {
	arena, err := memory.NewArena(placesBytes(rows))
	if err != nil {
		return nil, err
	}
	return &places{arena, arena.Int32s(0, rows), arena.Int32s(aligned(4*int64(rows)), rows)}, nil
}

// use deals so many rows.
func (p *places) use(rows int) {
	p.dealt, p.order = p.dealt[:rows], p.order[:rows]
	deal(p.dealt)
}

func (p *places) close() error {
	if p == nil {
		return nil
	}
	return p.arena.Close()
}
