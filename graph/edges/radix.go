package edges

import (
	"math/bits"
	"sync/atomic"

	"github.com/seraph-ml/seraph/engine/kernel"
)

const (
	topBits   = 11   // most of the first digit, by which keys are parted into buckets
	bucketLen = 4096 // keys of a bucket that are aimed at: they and their copy stay in the cache
	shortRun  = 32   // keys up to which insertion is faster
)

// radix sorts keys: first by the upper digit that they differ in, on all workers at once, then each bucket from the lowest
// digit up, in the cache.
type radix struct {
	keys, spare []uint64
	words       int
	digit       digit
	parts       int
	counts      [][1 << topBits]int // of each part; then where its keys of a bucket go
	ends        [1 << topBits]int   // of the buckets
	next        atomic.Int64        // bucket that nobody has taken
}

// digit is a part of a key: so many bits of a word.
type digit struct {
	word, shift uint
	mask        uint64
}

func (d digit) of(word uint64) uint64 { return word >> d.shift & d.mask }

// sort sorts keys of so many words; spare is as long.
func (r *radix) sort(pool *kernel.Pool, keys, spare []uint64, words int) {
	n := len(keys) / words
	if n <= 2*bucketLen {
		lowestFirst(keys, spare, words, false)
		return
	}
	r.keys, r.spare, r.words = keys, spare, words
	var ok bool
	if r.digit, ok = r.upper(min(topBits, bits.Len(uint(n/bucketLen)))); !ok {
		return // all are the same
	}
	r.parts = 4 * pool.Workers()
	if len(r.counts) < r.parts {
		r.counts = make([][1 << topBits]int, r.parts)
	}
	pool.For(r.parts, 1, (*countTask)(r))
	end := 0
	for b := range r.digit.mask + 1 {
		for p := range r.parts {
			count := r.counts[p][b]
			r.counts[p][b] = end
			end += count * words
		}
		r.ends[b] = end
	}
	pool.For(r.parts, 1, (*partTask)(r))
	r.next.Store(0)
	pool.For(pool.Workers(), 1, (*bucketTask)(r))
}

// upper returns the highest bits that keys differ in.
func (r *radix) upper(width int) (digit, bool) {
	different := differences(r.keys, r.words)
	for word := range r.words {
		if d := different[word]; d != 0 {
			shift := max(0, bits.Len64(d)-width)
			return digit{uint(word), uint(shift), 1<<width - 1}, true
		}
	}
	return digit{}, false
}

// differences are the bits that keys differ in, by word.
func differences(keys []uint64, words int) (d [2]uint64) {
	first := keys[:words]
	if words == 1 {
		k := first[0]
		for _, x := range keys {
			d[0] |= x ^ k
		}
		return d
	}
	u, v := first[0], first[1]
	for i := 0; i < len(keys); i += 2 {
		d[0] |= keys[i] ^ u
		d[1] |= keys[i+1] ^ v
	}
	return d
}

// part returns the words of a part.
func (r *radix) part(p int) (lo, hi int) {
	n := len(r.keys) / r.words
	return p * n / r.parts * r.words, (p + 1) * n / r.parts * r.words
}

// countTask counts the keys of the buckets: a unit is a part.
type countTask radix

// Do counts parts first to end.
func (t *countTask) Do(_, first, end int) {
	r := (*radix)(t)
	for p := first; p < end; p++ {
		clear(r.counts[p][:])
		lo, hi := r.part(p)
		for i := lo + int(r.digit.word); i < hi; i += r.words {
			r.counts[p][r.digit.of(r.keys[i])]++
		}
	}
}

// partTask moves keys to their buckets in spare: a unit is a part.
type partTask radix

// Do moves parts first to end.
func (t *partTask) Do(_, first, end int) {
	r := (*radix)(t)
	for p := first; p < end; p++ {
		lo, hi := r.part(p)
		scatter(r.spare, r.keys[lo:hi], r.words, r.digit, &r.counts[p])
	}
}

// scatter moves keys to where the next of their digit goes.
func scatter(dst, src []uint64, words int, d digit, next *[1 << topBits]int) {
	if words == 1 {
		for _, k := range src {
			to := &next[d.of(k)&(1<<topBits-1)]
			dst[*to] = k
			*to++
		}
		return
	}
	for i := 0; i < len(src); i += 2 {
		to := &next[d.of(src[i+int(d.word)])&(1<<topBits-1)]
		dst[*to], dst[*to+1] = src[i], src[i+1]
		*to += 2
	}
}

// bucketTask sorts buckets from spare into keys: a unit is a worker, which takes them as it gets free.
type bucketTask radix

// Do takes buckets until there are none.
func (t *bucketTask) Do(_, _, _ int) {
	r := (*radix)(t)
	for {
		b := r.next.Add(1) - 1
		if b > int64(r.digit.mask) {
			return
		}
		lo := 0
		if b > 0 {
			lo = r.ends[b-1]
		}
		lowestFirst(r.spare[lo:r.ends[b]], r.keys[lo:r.ends[b]], r.words, true)
	}
}

// lowestFirst sorts keys with the help of other, byte by byte from the lowest that keys differ in. The result is in other
// where that is said, else in keys.
func lowestFirst(keys, other []uint64, words int, inOther bool) {
	if len(keys) <= shortRun*words {
		insert(keys, words)
		if inOther {
			copy(other, keys)
		}
		return
	}
	different := differences(keys, words)
	from, to := keys, other
	var next [1 << topBits]int
	for word := words - 1; word >= 0; word-- {
		for d := different[word]; d != 0; {
			shift := bits.TrailingZeros64(d)
			digit := digit{uint(word), uint(shift), 0xff}
			d &^= 0xff << shift
			clear(next[:256])
			for i := word; i < len(from); i += words {
				next[digit.of(from[i])]++
			}
			sum := 0
			for b := range 256 {
				sum, next[b] = sum+next[b]*words, sum
			}
			scatter(to, from, words, digit, &next)
			from, to = to, from
		}
	}
	if (&from[0] == &other[0]) != inOther {
		copy(to, from)
	}
}

// insert sorts a few keys.
func insert(keys []uint64, words int) {
	if words == 1 {
		for i := 1; i < len(keys); i++ {
			k, j := keys[i], i
			for ; j > 0 && keys[j-1] > k; j-- {
				keys[j] = keys[j-1]
			}
			keys[j] = k
		}
		return
	}
	for i := 2; i < len(keys); i += 2 {
		u, v, j := keys[i], keys[i+1], i
		for ; j > 0 && (keys[j-2] > u || keys[j-2] == u && keys[j-1] > v); j -= 2 {
			keys[j], keys[j+1] = keys[j-2], keys[j-1]
		}
		keys[j], keys[j+1] = u, v
	}
}
