package search

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Parameter is one choice in a design: an integer from Min to Max or, if there are Values, one of these categories, which
// have no order.
type Parameter struct {
	Name     string
	Min, Max int
	Values   []string
	// UnusedIf lists settings of parameters before this one beside which it means nothing. Designs that differ in it alone
	// are then the same design; its canonical value is the first.
	UnusedIf []Setting
}

// Setting is a parameter with one of its values, as text.
type Setting struct{ Name, Value string }

// Space is the product of its parameters. Every point has a rank: the number whose digits, the first parameter's the
// highest, are the positions of its values.
type Space struct {
	parameters []Parameter
	sizes      []int      // values of each parameter
	strides    []int      // rank between neighbouring values of each parameter
	unused     [][]unless // of each parameter
}

// unless says that a parameter is unused if parameter at has its value number value.
type unless struct{ at, value int }

// maxCategories is the number of bits in a set of categories.
const maxCategories = 64

// NewSpace returns the space of the parameters, at most 21 of them (the dimensions of the Sobol points) with at most 64
// categories each; the number of raw points must fit an int.
func NewSpace(parameters ...Parameter) (*Space, error) {
	d := len(parameters)
	if d == 0 || d > maxSobol {
		return nil, fmt.Errorf("search space: %d parameters; it must have 1 to %d", d, maxSobol)
	}
	s := &Space{parameters, make([]int, d), make([]int, d), make([][]unless, d)}
	for i := range parameters {
		if err := s.add(i); err != nil {
			return nil, fmt.Errorf("search space: parameter %q: %w", parameters[i].Name, err)
		}
	}
	size := 1
	for i := d - 1; i >= 0; i-- {
		s.strides[i] = size
		if s.sizes[i] > math.MaxInt/size {
			return nil, fmt.Errorf("search space: more than %d points", math.MaxInt)
		}
		size *= s.sizes[i]
	}
	return s, nil
}

// add checks parameter i and notes its size and conditions.
func (s *Space) add(i int) error {
	p := &s.parameters[i]
	if p.Name == "" || strings.ContainsAny(p.Name, "=,| \t\n") {
		return fmt.Errorf("a name must not be empty nor hold blanks or any of = , |")
	}
	if s.find(p.Name) != i {
		return fmt.Errorf("there is another one of this name")
	}
	s.sizes[i] = len(p.Values)
	if p.Values == nil {
		if p.Min > p.Max || p.Max-p.Min < 0 || p.Max-p.Min == math.MaxInt {
			return fmt.Errorf("the integers %d to %d are not a range", p.Min, p.Max)
		}
		s.sizes[i] = p.Max - p.Min + 1
	}
	if len(p.Values) > maxCategories || s.sizes[i] == 0 {
		return fmt.Errorf("%d values; it must have 1 to %d", s.sizes[i], maxCategories)
	}
	for j, v := range p.Values {
		if v == "" || strings.ContainsAny(v, "=,| \t\n") || strings.Contains(v, "..") || slices.Index(p.Values, v) != j {
			return fmt.Errorf("value %q is empty, there twice, or holds blanks, .. or any of = , |", v)
		}
	}
	for _, u := range p.UnusedIf {
		at := s.find(u.Name)
		if at < 0 || at >= i {
			return fmt.Errorf("it depends on %q, which is not a parameter before it", u.Name)
		}
		value, err := s.position(at, u.Value)
		if err != nil {
			return err
		}
		s.unused[i] = append(s.unused[i], unless{at, value})
	}
	return nil
}

// find returns the number of the parameter of the name, or −1.
func (s *Space) find(name string) int {
	return slices.IndexFunc(s.parameters, func(p Parameter) bool { return p.Name == name })
}

// position returns the number of the value of parameter i that the text names.
func (s *Space) position(i int, text string) (int, error) {
	p := &s.parameters[i]
	if p.Values != nil {
		if at := slices.Index(p.Values, text); at >= 0 {
			return at, nil
		}
		return 0, fmt.Errorf("%s is %q; it must be one of %s", p.Name, text, strings.Join(p.Values, ", "))
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < p.Min || n > p.Max {
		return 0, fmt.Errorf("%s is %q; it must be an integer from %d to %d", p.Name, text, p.Min, p.Max)
	}
	return n - p.Min, nil
}

// text returns value number v of parameter i.
func (s *Space) text(i, v int) string {
	if p := &s.parameters[i]; p.Values != nil {
		return p.Values[v]
	}
	return strconv.Itoa(s.parameters[i].Min + v)
}

// Parameters returns the parameters, which must not be changed.
func (s *Space) Parameters() []Parameter { return s.parameters }

// Size returns the number of raw points, those that mean the same counted apart.
func (s *Space) Size() int { return s.strides[0] * s.sizes[0] }

// Count returns the number of designs. It walks over all of them.
func (s *Space) Count() int {
	n := 0
	for range s.Designs() {
		n++
	}
	return n
}

// Designs yields every design once, by increasing rank.
func (s *Space) Designs() iter.Seq[Design] {
	return func(yield func(Design) bool) {
		for v := make([]int, len(s.sizes)); ; {
			if !yield(Design{s, s.rank(v)}) || !s.next(v) {
				return
			}
		}
	}
}

// next moves v, the positions of a design's values, to the next design; false after the last one. The designs that begin
// like v up to a parameter that is used follow one another, so the last such parameter that has a value left moves.
func (s *Space) next(v []int) bool {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i]+1 < s.sizes[i] && s.used(v, i) {
			v[i]++
			clear(v[i+1:])
			return true
		}
	}
	return false
}

// used says whether parameter i means anything beside the values before it.
func (s *Space) used(v []int, i int) bool {
	for _, u := range s.unused[i] {
		if v[u.at] == u.value {
			return false
		}
	}
	return true
}

// design returns the design that the positions v mean; v becomes canonical.
func (s *Space) design(v []int) Design {
	for i := range v {
		if !s.used(v, i) {
			v[i] = 0
		}
	}
	return Design{s, s.rank(v)}
}

func (s *Space) rank(v []int) int {
	r := 0
	for i, x := range v {
		r += x * s.strides[i]
	}
	return r
}

// At returns the design that the raw point of the rank, from 0 to Size()−1, means.
func (s *Space) At(rank int) Design {
	v := make([]int, len(s.sizes))
	Design{s, rank}.positions(v)
	return s.design(v)
}

// Parse reads a design as [Design.String] writes it: every parameter that is used as name=value, in any order, between
// commas. Parameters that are not used may be there, with any of their values.
func (s *Space) Parse(text string) (Design, error) {
	v := make([]int, len(s.sizes))
	given := make([]bool, len(s.sizes))
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		i := s.find(name)
		if i < 0 {
			return Design{}, fmt.Errorf("design %q: there is no parameter %q; there are %s", text, name, s.names())
		}
		if given[i] {
			return Design{}, fmt.Errorf("design %q: %s is given twice", text, name)
		}
		at, err := s.position(i, value)
		if err != nil {
			return Design{}, fmt.Errorf("design %q: %w", text, err)
		}
		v[i], given[i] = at, true
	}
	for i := range v {
		if !given[i] && s.used(v, i) {
			return Design{}, fmt.Errorf("design %q: %s is missing", text, s.parameters[i].Name)
		}
	}
	return s.design(v), nil
}

func (s *Space) names() string {
	var names []string
	for _, p := range s.parameters {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
