package table

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Layout says which columns of a table a classifier takes, in which order, and what its codes mean.
type Layout struct {
	Numeric     []string   `json:"numeric"`
	Categorical []Category `json:"categorical,omitempty"`
	Target      string     `json:"target,omitempty"`
	Classes     []string   `json:"classes,omitempty"` // class names: by value where all are numbers, by their bytes otherwise
}

// Category is a categorical column with its dictionary.
type Category struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Samples are rows as a classifier takes them.
type Samples struct {
	Rows    int
	Numeric []float32 // Rows × len(Layout.Numeric), row-major; NaN where missing
	Codes   []int32   // Rows × len(Layout.Categorical), row-major; −1 where missing or not in the dictionary
	Labels  []int32   // class of each row, −1 where missing; nil where the table has no target column

	Unknown int64 // values of categorical columns that are not in the dictionary
}

// NewLayout takes every column of f: numbers become numeric inputs, text becomes categories. The target, where there is one,
// must have been opened as a category (Options.Categories).
func NewLayout(f *File, target string) (*Layout, error) {
	if _, ok := f.Column(target); !ok && target != "" {
		return nil, fmt.Errorf("%s: no column %q; the table has %s", f.Path, target, names(f.Columns))
	}
	l := &Layout{Numeric: []string{}, Target: target}
	for _, c := range f.Columns {
		switch {
		case c.Name == target:
			if c.Kind != Text {
				return nil, fmt.Errorf("%s: target column %q was read as %s, expected as categories", f.Path, target, c.Kind)
			}
			l.Classes = classes(c.Values)
		case c.Kind == Text:
			l.Categorical = append(l.Categorical, Category{c.Name, c.Values})
		default:
			l.Numeric = append(l.Numeric, c.Name)
		}
	}
	if target != "" && len(l.Classes) < 2 {
		return nil, fmt.Errorf("%s: target column %q has %d distinct values, expected at least 2 classes", f.Path, target, len(l.Classes))
	}
	return l, nil
}

// classes returns the class names of a dictionary: sorted, numbers in their shortest form.
func classes(values []string) []string {
	list := make([]string, len(values))
	numbers := true
	for i, v := range values {
		list[i] = className(v)
		_, err := strconv.ParseFloat(list[i], 64)
		numbers = numbers && err == nil
	}
	slices.SortFunc(list, func(a, b string) int {
		if numbers {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a, b)
	})
	return slices.Compact(list)
}

// className writes a number in its shortest form, so that 1, +1 and 1.0 are one class, and leaves other text as it is.
func className(value string) string {
	v, kind := parseNumber([]byte(value))
	if kind == Text || math.IsInf(v, 0) || v != math.Trunc(v) || math.Abs(v) >= 1<<53 {
		return value
	}
	return strconv.FormatInt(int64(v), 10)
}

// Samples reads the layout's columns from a table. A target column that is absent leaves Labels nil; any other column that is
// absent, or a class that is not in the layout, is an error.
func (l *Layout) Samples(t *Table) (*Samples, error) {
	s := &Samples{
		Rows:    t.Rows,
		Numeric: make([]float32, t.Rows*len(l.Numeric)),
		Codes:   make([]int32, t.Rows*len(l.Categorical)),
	}
	for j, name := range l.Numeric {
		c, ok := t.Column(name)
		if !ok {
			return nil, fmt.Errorf("no column %q; the table has %s", name, names(t.Columns))
		}
		if err := c.float32s(s.Numeric[j:], len(l.Numeric)); err != nil {
			return nil, err
		}
	}
	for j, category := range l.Categorical {
		c, ok := t.Column(category.Name)
		if !ok {
			return nil, fmt.Errorf("no column %q; the table has %s", category.Name, names(t.Columns))
		}
		unknown, err := c.recode(s.Codes[j:], len(l.Categorical), category.Values)
		if err != nil {
			return nil, err
		}
		s.Unknown += unknown
	}
	c, ok := t.Column(l.Target)
	if l.Target == "" || !ok {
		return s, nil
	}
	s.Labels = make([]int32, t.Rows)
	return s, l.labels(c, s.Labels)
}

// float32s writes the numbers of c to dst[0], dst[stride], …
func (c *Column) float32s(dst []float32, stride int) error {
	nan := float32(math.NaN())
	for i := range c.Len() {
		var v float32
		switch {
		case c.Kind == Text && c.Codes[i] < 0, c.Kind == Int && c.Null != nil && c.Null[i]:
			v = nan
		case c.Kind == Int:
			v = float32(c.Ints[i])
		case c.Kind == Float32:
			v = c.Float32s[i]
		case c.Kind == Float64:
			v = float32(c.Float64s[i])
		default:
			return fmt.Errorf("column %q: found the text %.60q, expected numbers as in the table the model was trained on", c.Name, c.Values[c.Codes[i]])
		}
		if math.IsInf(float64(v), 0) {
			return fmt.Errorf("column %q, row %d: found %s, expected a number within the range of float32", c.Name, i, c.AppendValue(nil, i))
		}
		dst[i*stride] = v
	}
	return nil
}

// recode writes the codes of c in another dictionary to dst[0], dst[stride], …, −1 for unknown values, which it counts.
func (c *Column) recode(dst []int32, stride int, values []string) (unknown int64, err error) {
	if c.Kind != Text {
		return 0, fmt.Errorf("column %q was read as %s, expected as categories, as in the table the model was trained on", c.Name, c.Kind)
	}
	same := len(c.Values) > 0 && len(values) == len(c.Values) && &values[0] == &c.Values[0]
	var code map[string]int32
	if !same {
		code = make(map[string]int32, len(values))
		for i, v := range values {
			code[v] = int32(i)
		}
	}
	to := make([]int32, len(c.Values))
	for i, v := range c.Values {
		to[i] = int32(i)
		if same {
			continue
		}
		var ok bool
		if to[i], ok = code[v]; !ok {
			to[i] = -1
		}
	}
	for i, from := range c.Codes {
		switch {
		case from < 0:
			dst[i*stride] = -1
		default:
			dst[i*stride] = to[from]
			if to[from] < 0 {
				unknown++
			}
		}
	}
	return unknown, nil
}

// labels writes the class of each row to dst.
func (l *Layout) labels(c *Column, dst []int32) error {
	if c.Kind != Text {
		return fmt.Errorf("target column %q was read as %s, expected as categories", c.Name, c.Kind)
	}
	class := make(map[string]int32, len(l.Classes))
	for i, name := range l.Classes {
		class[name] = int32(i)
	}
	for i, code := range c.Codes {
		if code < 0 {
			dst[i] = -1
			continue
		}
		var ok bool
		if dst[i], ok = class[className(c.Values[code])]; !ok {
			return fmt.Errorf("target column %q: found %.60q, which is none of the %d classes of the table the model was trained on", c.Name, c.Values[code], len(l.Classes))
		}
	}
	return nil
}
