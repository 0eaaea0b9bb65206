package search

import (
	"fmt"
	"strings"
)

// Region is a part of a space: for every parameter the values that are allowed.
type Region struct {
	space   *Space
	allowed [][]bool
}

// Region reads a region: name=values between commas, where values are single ones or, for integers, ranges A..B, with
// bars between them. A parameter that is not there may have any value.
func (s *Space) Region(text string) (Region, error) {
	r := Region{s, make([][]bool, len(s.sizes))}
	for part := range strings.SplitSeq(text, ",") {
		name, values, _ := strings.Cut(strings.TrimSpace(part), "=")
		i := s.find(name)
		if i < 0 {
			return Region{}, fmt.Errorf("region %q: there is no parameter %q; there are %s", text, name, s.names())
		}
		if r.allowed[i] == nil {
			r.allowed[i] = make([]bool, s.sizes[i])
		}
		for value := range strings.SplitSeq(values, "|") {
			first, last := value, value
			if s.parameters[i].Values == nil {
				if a, b, isRange := strings.Cut(value, ".."); isRange {
					first, last = a, b
				}
			}
			lo, err := s.position(i, first)
			if err != nil {
				return Region{}, fmt.Errorf("region %q: %w", text, err)
			}
			hi, err := s.position(i, last)
			if err != nil {
				return Region{}, fmt.Errorf("region %q: %w", text, err)
			}
			for ; lo <= hi; lo++ {
				r.allowed[i][lo] = true
			}
		}
	}
	return r, nil
}

// Contains says whether the design, of the same space, lies in the region. What a design does not use, it has no value of.
func (r Region) Contains(d Design) bool {
	v := make([]int, len(r.allowed))
	d.positions(v)
	for i, x := range v {
		if r.allowed[i] != nil && !(r.allowed[i][x] && r.space.used(v, i)) {
			return false
		}
	}
	return true
}
