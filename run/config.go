package run

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Origin says where the value of a setting comes from.
type Origin string

// The origins, strongest first. Tuned values are found by the job itself, and only for settings that nothing stronger
// than a preset set.
const (
	FromFlag        Origin = "flag"
	FromEnvironment Origin = "environment"
	FromFile        Origin = "file"
	FromTuning      Origin = "tuned"
	FromPreset      Origin = "preset"
	FromDefault     Origin = "default"
)

// Value is a setting with its value.
type Value struct {
	Setting
	Text   string // as it would be written on the command line
	Origin Origin
	Detail string // which flag, variable, file, preset or source: "--hops", "SERAPH_HOPS", "seraph.toml"

	parsed any
}

// Values are settings with their values. The typed accessors panic where the key is not a setting of that type: such a
// call is a mistake in the program.
type Values []Value

// Lookup finds a value by its key, nil when there is none.
func (v Values) Lookup(key string) *Value {
	for i := range v {
		if v[i].Key == key {
			return &v[i]
		}
	}
	return nil
}

func (v Values) must(key string, types ...Type) any {
	value := v.Lookup(key)
	if value == nil || !slices.Contains(types, value.Type) {
		panic(fmt.Sprintf("run: the model asks for setting %q as %s, its spec has no such setting", key, types[0]))
	}
	return value.parsed
}

// Int returns the value of an Int setting.
func (v Values) Int(key string) int { return int(v.must(key, Int).(int64)) }

// Bytes returns the value of a Size setting.
func (v Values) Bytes(key string) int64 { return v.must(key, Size).(int64) }

// Float returns the value of a Float setting.
func (v Values) Float(key string) float64 { return v.must(key, Float).(float64) }

// Bool returns the value of a Bool setting.
func (v Values) Bool(key string) bool { return v.must(key, Bool).(bool) }

// String returns the value of a String or Choice setting.
func (v Values) String(key string) string { return v.must(key, String, Choice).(string) }

// Given reports whether the user set the value (flag, environment or seraph.toml): tuning keeps its hands off it.
func (v Values) Given(key string) bool {
	value := v.Lookup(key)
	return value != nil && (value.Origin == FromFlag || value.Origin == FromEnvironment || value.Origin == FromFile)
}

// With returns the values with some of them replaced, as a search tries them. What does not parse is an error, and so is
// another value for what the user gave.
func (v Values) With(texts map[string]string) (Values, error) {
	changed := slices.Clone(v)
	for key, text := range texts {
		value := changed.Lookup(key)
		if value == nil || v.Given(key) {
			return nil, fmt.Errorf("tune %s: not a setting that a search may choose", key)
		}
		parsed, err := value.parse(text)
		if err != nil {
			return nil, fmt.Errorf("tune %w", err)
		}
		value.Text, value.parsed, value.Origin, value.Detail = text, parsed, FromTuning, "on validation"
	}
	return changed, nil
}

// Config is every setting of a job, resolved.
type Config struct {
	Model string
	Values
}

// Sources are the places that settings come from, strongest first. The zero value has none: a Go program or a test does
// not depend on what lies around.
type Sources struct {
	Flags   map[string]string                // settings given as flags of their own: key to text
	Set     []string                         // KEY=VALUE of --set
	Environ func(name string) (string, bool) // os.LookupEnv, or nil
	File    string                           // path of a seraph.toml, which need not exist; "" for none
}

// Resolve gives every setting of the model its value: flag > environment > file > preset > default. What is wrong with a
// key or a value is a *UsageError that says what is allowed.
func Resolve(spec Spec, from Sources) (*Config, error) {
	r := newResolver(&spec, spec.All())
	if err := r.sources(from); err != nil {
		return nil, err
	}
	if err := r.preset(); err != nil {
		return nil, err
	}
	values, err := r.values()
	if err != nil {
		return nil, err
	}
	return &Config{Model: spec.Name, Values: values}, nil
}

// NewRequest resolves the settings of a request: flag > environment > default. What it samples is written to out.
func NewRequest(spec Spec, from Sources, out io.Writer) (*Request, error) {
	r := newResolver(&spec, spec.Sampling)
	from.File = "" // it speaks of training
	if err := r.sources(from); err != nil {
		return nil, err
	}
	values, err := r.values()
	return &Request{Values: values, Out: out}, err
}

// resolver collects what is set, strongest first: the first to set a key wins.
type resolver struct {
	spec     *Spec
	settings []Setting
	texts    map[string]Value
}

func newResolver(spec *Spec, settings []Setting) *resolver {
	return &resolver{spec: spec, settings: settings, texts: map[string]Value{}}
}

// sources asks all sources but presets and defaults.
func (r *resolver) sources(from Sources) error {
	if err := r.flags(from); err != nil {
		return err
	}
	if err := r.environment(from.Environ); err != nil {
		return err
	}
	return r.file(from.File)
}

// set records a value unless a stronger source has set it. Where says who asks, for messages.
func (r *resolver) set(key, text string, origin Origin, detail string) error {
	setting := find(r.settings, key)
	if setting == nil {
		return r.unknown(key, detail)
	}
	if !utf8.ValidString(text) {
		return Usagef("%s: %s=%q: expected UTF-8, which config.toml is written in", detail, key, text)
	}
	parsed, err := setting.parse(text)
	if err != nil {
		return Usagef("%s: %w", detail, err)
	}
	if _, ok := r.texts[key]; !ok {
		r.texts[key] = Value{Setting: *setting, Text: setting.trim(text), Origin: origin, Detail: detail, parsed: parsed}
	}
	return nil
}

func (r *resolver) unknown(key, detail string) error {
	keys := make([]string, len(r.settings))
	for i := range r.settings {
		keys[i] = r.settings[i].Key
	}
	if near, ok := Nearest(key, keys); ok {
		return Usagef("%s: %s has no setting %q; did you mean %s?", detail, r.spec.Name, key, near)
	}
	slices.Sort(keys)
	return Usagef("%s: %s has no setting %q; it has %s", detail, r.spec.Name, key, strings.Join(keys, ", "))
}

func (r *resolver) flags(from Sources) error {
	for _, key := range slices.Sorted(maps.Keys(from.Flags)) {
		if err := r.set(key, from.Flags[key], FromFlag, "--"+key); err != nil {
			return err
		}
	}
	for _, item := range from.Set {
		key, text, ok := strings.Cut(item, "=")
		key = strings.TrimSpace(key)
		if !ok {
			return Usagef("--set %s: expected KEY=VALUE", item)
		}
		if earlier, ok := r.texts[key]; ok && earlier.Text != earlier.trim(text) {
			return Usagef("--set %s: %s is also given as %s by %s; give it once", item, key, earlier.Text, earlier.Detail)
		}
		if err := r.set(key, text, FromFlag, "--set "+key); err != nil {
			return err
		}
	}
	return nil
}

// environment asks for the twin of every setting: weight-decay is SERAPH_WEIGHT_DECAY.
func (r *resolver) environment(lookup func(string) (string, bool)) error {
	if lookup == nil {
		return nil
	}
	for _, s := range r.settings {
		name := EnvironmentName(s.Key)
		if text, ok := lookup(name); ok && text != "" {
			if err := r.set(s.Key, text, FromEnvironment, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// EnvironmentName is the environment variable of a setting or flag.
func EnvironmentName(key string) string {
	return "SERAPH_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
}

func (r *resolver) preset() error {
	chosen, ok := r.texts["preset"]
	if !ok || chosen.Text == noPreset {
		return nil
	}
	for _, p := range r.spec.Presets {
		if p.Name != chosen.Text {
			continue
		}
		for key, text := range p.Values {
			if err := r.set(key, text, FromPreset, p.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// values gives every setting its value, its default where no source set it.
func (r *resolver) values() (Values, error) {
	var list Values
	for _, s := range r.settings {
		value, ok := r.texts[s.Key]
		if s.Key == "data" && s.Default == "" && value.Text == "" {
			return nil, Usagef("--data is missing: %s takes %s", r.spec.Name, r.spec.Data)
		}
		if !ok {
			var err error
			if value, err = s.byDefault(); err != nil {
				return nil, err
			}
		}
		list = append(list, value)
	}
	return list, nil
}

// byDefault is the setting with its default.
func (s *Setting) byDefault() (Value, error) {
	text := s.Default
	if s.auto != nil {
		var err error
		if text, err = s.auto(); err != nil {
			return Value{}, fmt.Errorf("default of --%s: %w", s.Key, err)
		}
	}
	v := Value{Setting: *s, Text: text, Origin: FromDefault, Detail: s.Source}
	if text == "" { // no choice made, no text given
		v.parsed = ""
		return v, nil
	}
	var err error
	if v.parsed, err = s.parse(text); err != nil {
		return Value{}, fmt.Errorf("default of %w", err)
	}
	return v, nil
}
