package edges

import "sort"

// Ranges divides vertices whose rows begin there, of so many entries, into n ranges of about as much work: range i is those from
// the i-th number to the one before the next. A vertex is as much work as so many entries, beside its own.
func Ranges(begins []int64, entries, vertex int64, n int) []int32 {
	cuts := []int32{0}
	all := entries + vertex*int64(len(begins))
	for i := 1; i < n; i++ {
		most := all / int64(n) * int64(i)
		cuts = append(cuts, int32(sort.Search(len(begins), func(v int) bool { return begins[v]+vertex*int64(v) >= most })))
	}
	return append(cuts, int32(len(begins)))
}
