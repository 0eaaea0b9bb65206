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
	tree, err := readTree(path)
	if err != nil {
		return err
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

// readTree reads a seraph.toml, which need not exist.
func readTree(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	tree := map[string]any{}
	if err := toml.Unmarshal(text, &tree); err != nil {
		return nil, Usagef("%s: %w", path, err)
	}
	return tree, nil
}

// FileFlag returns what a seraph.toml says of a flag that is not a setting (out, json, quiet, log-level), and whether it does.
func FileFlag(path, key string) (text string, ok bool, err error) {
	tree, err := readTree(path)
	if err != nil || tree[key] == nil {
		return "", false, err
	}
	if text, ok = plain(tree[key]); !ok {
		return "", false, Usagef("%s: %s: found %T, expected a text, a number, true or false", path, key, tree[key])
	}
	return text, true, nil
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
