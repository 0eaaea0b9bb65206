package run

import (
	"errors"
	"fmt"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/seraph-ml/seraph/format"
)

// Axis is a setting with the values that a search may give it, as they would be written on the command line.
type Axis struct {
	Key    string
	Values []string
}

// ReadSpace reads the space of a search for settings of a model, a TOML file with a list of values a setting:
//
//	hops = [2, 3, 5]
//	scaling = ["l1", "l2"]
//
// Settings of the data, of the machine and those that every model has are none of a space. What is wrong with a key or a value
// is a *UsageError that says what is allowed.
func ReadSpace(path string, spec Spec) ([]Axis, error) {
	text, err := readSmall(path, maxSmall)
	if err != nil {
		return nil, fmt.Errorf("read the space: %w", err)
	}
	var lists map[string][]any
	meta, err := toml.Decode(string(text), &lists)
	if err != nil {
		var parse toml.ParseError
		line := 1
		if errors.As(err, &parse) {
			line = parse.Position.Line
		}
		return nil, format.CorruptLine(path, line, "space", "", "").WithCause(err).WithHint("each setting has a list of values: hops = [2, 3]")
	}
	r := newResolver(&spec, spec.Settings)
	var axes []Axis
	for _, key := range meta.Keys() {
		name := key.String()
		s := find(spec.Settings, name)
		switch {
		case s == nil:
			return nil, r.unknown(name, path)
		case s.Scope != OfModel || find(Common(), name) != nil:
			return nil, Usagef("%s: %s is not a setting that a search may choose", path, name)
		}
		a := Axis{Key: name}
		for _, value := range lists[name] {
			text, ok := plain(value)
			if !ok {
				return nil, Usagef("%s: %s: found %T, expected a text, a number, true or false", path, name, value)
			}
			if _, err := s.parse(text); err != nil {
				return nil, Usagef("%s: %w", path, err)
			}
			if slices.Contains(a.Values, text) {
				return nil, Usagef("%s: %s=%s is there twice", path, name, text)
			}
			a.Values = append(a.Values, text)
		}
		if len(a.Values) == 0 {
			return nil, Usagef("%s: %s has no values", path, name)
		}
		axes = append(axes, a)
	}
	if len(axes) == 0 {
		return nil, Usagef("%s names no setting", path)
	}
	return axes, nil
}
