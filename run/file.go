package run

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// file reads seraph.toml: common settings at the top, those of a model in a table of its name, which wins.
//
//	memory = "4GiB"
//	[sgc]
//	hops = 3
//
// Tables of other models are not looked into.
func (r *resolver) file(path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	tree := map[string]any{}
	if err := toml.Unmarshal(text, &tree); err != nil {
		return Usagef("%s: %w", path, err)
	}
	own, _ := tree[r.spec.Name].(map[string]any)
	if err := r.table(own, path+" ["+r.spec.Name+"]"); err != nil {
		return err
	}
	top := map[string]any{}
	for key, value := range tree {
		if _, isTable := value.(map[string]any); !isTable && !reserved[key] { // the command line reads those
			top[key] = value
		}
	}
	common := Common()
	for _, key := range slices.Sorted(maps.Keys(top)) {
		if find(common, key) == nil && find(r.settings, key) != nil {
			return Usagef("%s: %s is a setting of a model; write it into a table [%s]", path, key, r.spec.Name)
		}
	}
	return r.table(top, path)
}

func (r *resolver) table(values map[string]any, where string) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		text, ok := plain(values[key])
		if !ok {
			return Usagef("%s: %s: found %T, expected a text, a number, true or false", where, key, values[key])
		}
		if err := r.set(key, text, FromFile, where); err != nil {
			return err
		}
	}
	return nil
}

// plain writes a TOML value as it would stand on the command line.
func plain(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int64, bool:
		return fmt.Sprint(v), true
	case float64:
		return strings.TrimSuffix(fmt.Sprint(v), ".0"), true
	}
	return "", false
}
