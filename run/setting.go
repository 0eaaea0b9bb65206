package run

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Type is the type of a setting's value.
type Type string

// The types of settings.
const (
	Int    Type = "int"
	Float  Type = "float"
	Bool   Type = "bool"
	Size   Type = "size" // bytes: "300MiB", "4GB"
	String Type = "string"
	Choice Type = "choice"
)

// Scope says what a setting belongs to, and so when it may change.
type Scope string

// The scopes of settings.
const (
	OfModel   Scope = ""        // fixed for the life of a run
	OfData    Scope = "data"    // describes the input of --data: predict may be given another
	OfMachine Scope = "machine" // never changes a bit of the result: predict and --resume may be given another
)

// Setting is one thing that can be set: by the flag of its name where there is one, by --set KEY=VALUE, by SERAPH_KEY in
// the environment, in seraph.toml.
type Setting struct {
	Key     string   `json:"key"` // lower case, words joined by "-": "weight-decay"
	Type    Type     `json:"type"`
	Default string   `json:"default"`           // as it would be written on the command line
	Min     string   `json:"min,omitempty"`     // inclusive bound for int, float and size, "" for none
	Max     string   `json:"max,omitempty"`     // inclusive bound for int, float and size, "" for none
	Choices []string `json:"choices,omitempty"` // for Choice
	Doc     string   `json:"doc"`               // one line, with the unit
	Source  string   `json:"source,omitempty"`  // paper, section or program that the default comes from
	Scope   Scope    `json:"scope,omitempty"`

	// Check, where it is set, verifies a String beyond its type; its error says what is expected.
	Check func(text string) error `json:"-"`

	auto func() (string, error) // makes the default, which Default then describes
}

// parse reads a value: int64 (Int, Size), float64, bool or string. The error says what is allowed.
func (s *Setting) parse(text string) (any, error) {
	value, err := s.parseType(s.trim(text))
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", s.Key, text, err)
	}
	if !s.within(value) {
		return nil, fmt.Errorf("%s=%s: expected %s", s.Key, text, s.Allowed())
	}
	return value, nil
}

// trim takes the blanks around a value off, which only in a text can mean something.
func (s *Setting) trim(text string) string {
	if s.Type == String {
		return text
	}
	return strings.TrimSpace(text)
}

func (s *Setting) parseType(text string) (any, error) {
	switch s.Type {
	case Int:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	case Float:
		if x, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			return x, nil
		}
	case Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b, nil
		}
	case Size:
		return memory.ParseSize(text)
	case Choice:
		if slices.Contains(s.Choices, text) {
			return text, nil
		}
		if near, ok := Nearest(text, s.Choices); ok {
			return nil, fmt.Errorf("expected %s; did you mean %s?", s.Allowed(), near)
		}
	case String:
		if s.Check != nil {
			return text, s.Check(text)
		}
		return text, nil
	}
	return nil, fmt.Errorf("expected %s", s.Allowed())
}

// within reports whether a parsed value keeps to Min and Max.
func (s *Setting) within(value any) bool {
	for i, bound := range []string{s.Min, s.Max} {
		if bound == "" {
			continue
		}
		limit, err := s.parseType(bound)
		if err != nil {
			return false // Spec.Check finds such a bound
		}
		var sign float64
		switch v := value.(type) {
		case int64:
			sign = compare(v, limit.(int64))
		case float64:
			sign = compare(v, limit.(float64))
		}
		if i == 0 && sign < 0 || i == 1 && sign > 0 {
			return false
		}
	}
	return true
}

func compare[T int64 | float64](a, b T) float64 {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Allowed says which values the setting takes: "a whole number, 1 … 64".
func (s *Setting) Allowed() string {
	kind := map[Type]string{Int: "a whole number", Float: "a number", Bool: "true or false", Size: "a size as 300MiB or 4GB", String: "text"}[s.Type]
	switch {
	case s.Type == Choice:
		return "one of " + strings.Join(s.Choices, ", ")
	case s.Min != "" && s.Max != "":
		return fmt.Sprintf("%s, %s … %s", kind, s.Min, s.Max)
	case s.Min != "":
		return fmt.Sprintf("%s, at least %s", kind, s.Min)
	case s.Max != "":
		return fmt.Sprintf("%s, at most %s", kind, s.Max)
	}
	return kind
}
