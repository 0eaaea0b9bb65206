package run

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

const configName = "config.toml"

// configVersion is the version of config.toml.
const configVersion = 1

// Provenance is how a run was begun: what config.toml says beside the settings.
type Provenance struct {
	Seraph    string    `toml:"seraph"`    // version
	Started   time.Time `toml:"started"`   // of the first start
	Directory string    `toml:"directory"` // working directory: relative paths of settings count from there
	Command   []string  `toml:"command"`   // as typed; empty where the run was started from Go
}

// write writes config.toml.
func (c *Config) write(path string, p Provenance) error {
	return memory.WriteAtomic(path, c.text(p))
}

// text is the content of config.toml: every value with its origin in a comment.
func (c *Config) text(p Provenance) []byte {
	var b bytes.Buffer
	b.WriteString("# The settings of a Seraph run and where each comes from; read back by --resume and predict.\n")
	fmt.Fprintf(&b, "version = %d\nmodel = %s\n\n[settings]\n", configVersion, tomlValue(c.Model))
	for i := range c.Values {
		v := &c.Values[i]
		value := v.parsed
		if v.Type == Size {
			value = v.Text
		}
		fmt.Fprintf(&b, "%-36s # %s\n", v.Key+" = "+tomlValue(value), v.comment())
	}
	fmt.Fprintf(&b, "\n[run]\nseraph = %s\nstarted = %s\ndirectory = %s\ncommand = %s\n",
		tomlValue(p.Seraph), tomlValue(p.Started), tomlValue(p.Directory), tomlValue(append([]string{}, p.Command...)))
	return b.Bytes()
}

// tomlValue writes one value as TOML.
func tomlValue(value any) string {
	text, err := toml.Marshal(map[string]any{"v": value})
	if err != nil {
		panic(fmt.Sprintf("run: %v is not a value of a setting: %v", value, err))
	}
	return strings.TrimSpace(strings.TrimPrefix(string(text), "v = "))
}

// comment says where a value comes from: "flag --hops", "default, Wu et al. 2019".
func (v *Value) comment() string {
	text := string(v.Origin)
	if v.Detail != "" {
		text += ", " + v.Detail
	}
	return strings.NewReplacer("#", "no. ", "\n", " ", "\r", " ").Replace(text)
}

// originLine finds key and comment of a line of config.toml.
var originLine = regexp.MustCompile(`^([a-z0-9-]+) = .*# ([^#]*)$`)

// origins reads the comments of config.toml. They are for people, who may edit the file: what they changed has the file as its origin.
func origins(text []byte) map[string]Value {
	found := map[string]Value{}
	for line := range strings.Lines(string(text)) {
		m := originLine.FindStringSubmatch(strings.TrimRight(line, " \r\n"))
		if m == nil {
			continue
		}
		origin, detail, _ := strings.Cut(m[2], ", ")
		switch Origin(origin) {
		case FromFlag, FromEnvironment, FromFile, FromTuning, FromPreset, FromDefault:
			found[m[1]] = Value{Origin: Origin(origin), Detail: detail}
		}
	}
	return found
}

// record is a config.toml as it was read.
type record struct {
	path     string
	model    string
	order    []string // of the settings
	settings map[string]string
	origins  map[string]Value // Origin and Detail alone
	run      Provenance
}

// readRecord reads the config.toml of a run directory.
func readRecord(dir string) (*record, error) {
	path := filepath.Join(dir, configName)
	text, err := readSmall(path, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Usagef("%s is not a run: there is no %s in it", dir, configName)
	}
	if err != nil {
		return nil, fmt.Errorf("read the run: %w", err)
	}
	return parseRecord(path, text)
}

func parseRecord(path string, text []byte) (*record, error) {
	var file struct {
		Version  int            `toml:"version"`
		Model    string         `toml:"model"`
		Settings map[string]any `toml:"settings"`
		Run      Provenance     `toml:"run"`
	}
	meta, err := toml.Decode(string(text), &file)
	if err != nil {
		var parse toml.ParseError
		line := 1
		if errors.As(err, &parse) {
			line = parse.Position.Line
		}
		return nil, format.CorruptLine(path, line, "settings", "", "").WithCause(err)
	}
	if file.Version != configVersion {
		return nil, format.CorruptAt(path, -1, "version", fmt.Sprint(file.Version), fmt.Sprint(configVersion)).
			WithHint("the run was written by another version of seraph")
	}
	r := &record{path: path, model: file.Model, settings: map[string]string{}, origins: origins(text), run: file.Run}
	for _, name := range meta.Keys() {
		if len(name) != 2 || name[0] != "settings" {
			continue
		}
		key := name[1]
		text, ok := plain(file.Settings[key])
		if !ok {
			return nil, format.CorruptAt(path, -1, "setting "+key, fmt.Sprintf("%T", file.Settings[key]), "a text, a number, true or false")
		}
		r.order = append(r.order, key)
		r.settings[key] = text
	}
	return r, nil
}

// values reads the settings of the record as those of the model, and gives those that it lacks their defaults.
func (r *record) values(spec Spec) (*Config, error) {
	c := &Config{Model: spec.Name}
	settings := spec.All()
	for key := range r.settings {
		if find(settings, key) == nil {
			return nil, format.CorruptAt(r.path, -1, "settings", key, "a setting of "+spec.Name).WithHint("the run was written by another version of seraph")
		}
	}
	for _, s := range settings {
		text, ok := r.settings[s.Key]
		if !ok || text == "" && s.Default == "" {
			v, err := s.byDefault()
			if err != nil {
				return nil, err
			}
			c.Values = append(c.Values, v)
			continue
		}
		parsed, err := s.parse(text)
		if err != nil {
			return nil, format.CorruptAt(r.path, -1, "settings", "", "").WithCause(err)
		}
		if s.auto == nil {
			if d, err := s.byDefault(); err == nil && d.parsed == parsed {
				text = d.Text // 5e-6, which TOML writes 5e-06
			}
		}
		from, ok := r.origins[s.Key]
		if !ok {
			from = Value{Origin: FromFile, Detail: configName}
		}
		c.Values = append(c.Values, Value{Setting: s, Text: text, Origin: from.Origin, Detail: from.Detail, parsed: parsed})
	}
	return c, nil
}

// again resolves the settings of a run that exists. Those whose scope is listed may be given anew, by any source; machine
// settings that nobody ever gave get the default of this machine. Any other that is given as flag must have the value that
// the run has.
func (r *record) again(spec Spec, from Sources, may ...Scope) (*Config, error) {
	if r.model != spec.Name {
		return nil, Usagef("the run in %s is one of %s, not of %s", filepath.Dir(r.path), r.model, spec.Name)
	}
	now := newResolver(&spec, spec.All())
	if err := now.sources(from); err != nil {
		return nil, err
	}
	c, err := r.values(spec)
	if err != nil {
		return nil, err
	}
	for i := range c.Values {
		if err := r.renew(&c.Values[i], now.texts, may); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (r *record) renew(v *Value, given map[string]Value, may []Scope) error {
	free := false
	for _, scope := range may {
		free = free || v.Scope == scope
	}
	asked, ok := given[v.Key]
	switch {
	case free && ok:
		*v = asked
	case free && v.Scope == OfMachine && v.Origin == FromDefault:
		fresh, err := v.byDefault()
		if err != nil {
			return err
		}
		*v = fresh
	case ok && asked.Origin == FromFlag && !r.same(&asked, v):
		return Usagef("%s asks for %s=%s, the run in %s has %s=%s (%s); leave it away, or begin a new run with another --out",
			asked.Detail, v.Key, asked.Text, filepath.Dir(r.path), v.Key, v.Text, v.comment())
	}
	return nil
}

// same reports whether a value asked for is the one the run has. A path may be written in another way.
func (r *record) same(asked, has *Value) bool {
	if asked.parsed == has.parsed {
		return true
	}
	if asked.Key != "data" {
		return false
	}
	now, err := filepath.Abs(asked.Text)
	return err == nil && now == r.absolute(has.Text)
}

// absolute is a path of the run as seen from where it was started.
func (r *record) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.run.Directory, path)
}
