package ogb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Set is a data set on disk: what its smallest files say. Nothing is held open.
type Set struct {
	Dir    string
	Nodes  int
	Edges  int64
	Cols   int      // of the features; 0: there are none
	Scheme string   // of the split, for example "time"; "": there is none
	Notes  []string // what is ignored
}

// Open reads the counts of a data set, and which files it has.
func Open(dir string) (*Set, error) {
	s := &Set{Dir: dir}
	nodes, err := s.count(nodeCount, 1, format.MaxNodes)
	if err != nil {
		return nil, err
	}
	s.Nodes = int(nodes)
	if s.Edges, err = s.count(edgeCount, 0, 1<<40); err != nil {
		return nil, err
	}
	if _, err := s.find(edgeFile); err != nil {
		return nil, err
	}
	if err := s.parse(featureFile, true, s.countColumns); err != nil {
		return nil, err
	}
	if err := s.findScheme(); err != nil {
		return nil, err
	}
	return s, s.noteOthers("raw", nodeCount, edgeCount, edgeFile, featureFile, labelFile)
}

// The files of the layout, without extension.
const (
	nodeCount   = "raw/num-node-list"
	edgeCount   = "raw/num-edge-list"
	edgeFile    = "raw/edge"
	featureFile = "raw/node-feat"
	labelFile   = "raw/node-label"
)

// find returns the path of a file, compressed or not. Its error says that there is neither.
func (s *Set) find(file string) (string, error) {
	path := filepath.Join(s.Dir, filepath.FromSlash(file)+".csv")
	if _, err := os.Stat(path + ".gz"); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path + ".gz", err
	}
	_, err := os.Stat(path)
	return path, err
}

// parse opens a file for a function that reads it. An optional file may be absent.
func (s *Set) parse(file string, optional bool, read func(*format.Text) error) error {
	path, err := s.find(file)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := format.OpenText(path)
	if err != nil {
		return err
	}
	defer t.Close()
	return read(t)
}

// count reads a file that holds one number.
func (s *Set) count(file string, least, most int64) (n int64, err error) {
	err = s.parse(file, false, func(t *format.Text) error {
		n, err = parseCount(t, least, most)
		return err
	})
	return n, err
}

func parseCount(t *format.Text, least, most int64) (int64, error) {
	t.Next()
	n, err := t.Natural("count", least, most)
	if err != nil {
		return 0, err
	}
	if t.More() || t.Next() && t.More() {
		return 0, t.Corrupt("count", "a second number", "one, since the set is one graph", "sets of many graphs are not for node classification")
	}
	return n, t.Err()
}

// countColumns reads the first line of the features.
func (s *Set) countColumns(t *format.Text) error {
	for t.Next(); t.More(); s.Cols++ {
		if _, err := t.Float32("feature"); err != nil {
			return err
		}
	}
	if s.Cols == 0 {
		return t.Corrupt("features of node 0", "none", "numbers", "")
	}
	return t.Err()
}

// findScheme finds the split: the first scheme in the alphabet.
func (s *Set) findScheme() error {
	folder := filepath.Join(s.Dir, "split")
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if info, err := os.Stat(filepath.Join(folder, entry.Name())); err != nil || !info.IsDir() {
			continue
		}
		if s.Scheme == "" {
			s.Scheme = entry.Name()
		} else {
			s.Notes = append(s.Notes, fmt.Sprintf("split %q is ignored for split %q", entry.Name(), s.Scheme))
		}
	}
	return nil
}

// noteOthers notes the files of a folder that are ignored: all but some.
func (s *Set) noteOthers(folder string, known ...string) error {
	entries, err := os.ReadDir(filepath.Join(s.Dir, filepath.FromSlash(folder)))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, isCSV := strings.CutSuffix(strings.TrimSuffix(entry.Name(), ".gz"), ".csv")
		if isCSV && !slices.Contains(known, folder+"/"+name) {
			s.Notes = append(s.Notes, fmt.Sprintf("%s/%s is ignored", folder, entry.Name()))
		}
	}
	return nil
}
