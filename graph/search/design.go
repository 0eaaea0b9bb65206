package search

import "strings"

// Design is a design of a space, always in canonical form: designs that mean the same are equal under ==. The zero Design
// belongs to no space and has no methods to call.
type Design struct {
	space *Space
	rank  int
}

// Space returns the space of the design.
func (d Design) Space() *Space { return d.space }

// Rank returns the number of the design among the raw points of its space.
func (d Design) Rank() int { return d.rank }

// positions writes the position of each parameter's value to v.
func (d Design) positions(v []int) {
	for i, n := range d.space.sizes {
		v[i] = d.rank / d.space.strides[i] % n
	}
}

// Int returns the value of an integer parameter, and of a category its place in the list. It panics on a name that the
// space does not have.
func (d Design) Int(name string) int {
	i := d.space.find(name)
	p := &d.space.parameters[i]
	v := d.rank / d.space.strides[i] % d.space.sizes[i]
	if p.Values == nil {
		v += p.Min
	}
	return v
}

// Value returns the value of a parameter as text. It panics on a name that the space does not have.
func (d Design) Value(name string) string {
	i := d.space.find(name)
	return d.space.text(i, d.rank/d.space.strides[i]%d.space.sizes[i])
}

// Uses says whether the parameter means anything in the design. It panics on a name that the space does not have.
func (d Design) Uses(name string) bool {
	v := make([]int, len(d.space.sizes))
	d.positions(v)
	return d.space.used(v, d.space.find(name))
}

// String writes the parameters that are used, name=value, between commas: one word for a shell, and what [Space.Parse] reads.
func (d Design) String() string {
	v := make([]int, len(d.space.sizes))
	d.positions(v)
	var b strings.Builder
	for i, x := range v {
		if !d.space.used(v, i) {
			continue
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(d.space.parameters[i].Name + "=" + d.space.text(i, x))
	}
	return b.String()
}

// Neighbours returns the other designs that are one exchange away: one parameter that is used takes another of its values.
// A parameter that is used only after the exchange takes its first value.
func (d Design) Neighbours() []Design {
	v := make([]int, len(d.space.sizes))
	d.positions(v)
	var near []Design
	other := make([]int, len(v))
	for i, n := range d.space.sizes {
		for x := range n {
			if x != v[i] && d.space.used(v, i) {
				copy(other, v)
				other[i] = x
				near = append(near, d.space.design(other))
			}
		}
	}
	return near
}
