package kcore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
	"github.com/seraph-ml/seraph/run"
)

const lockFile = "lock"

// Folder holds the files of a decomposition on disk, and nobody else uses it.
type Folder struct {
	Path     string
	Imported bool // the graph lies in it

	lock *os.File
}

// OpenFolder makes the folder of a graph in a directory, or finds what an interrupted job has left there where resume is set:
// its name says which files the graph is of, how long they are and when they were changed, how many vertices were declared, and what the ids are.
func OpenFolder(dir string, paths []string, o Options, resume bool) (*Folder, error) {
	h := sha256.New()
	fmt.Fprintln(h, metaVersion, o.Vertices, o.IDs == Texts)
	for _, path := range paths {
		if path == "-" {
			fmt.Fprintln(h, path)
			continue
		}
		whole, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, format.ReadError(path, -1, "edges", err)
		}
		fmt.Fprintln(h, whole, info.Size(), info.ModTime().UnixNano())
	}
	f := &Folder{Path: filepath.Join(dir, "kcore-"+hex.EncodeToString(h.Sum(nil))[:16])}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	if err := f.clean(resume); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// clean removes what nobody will go on with: all but the lock, or, of a graph that is complete, what a killed job was writing anew.
func (f *Folder) clean(resume bool) error {
	meta := filepath.Join(f.Path, metaFile)
	_, err := os.Stat(meta)
	f.Imported = err == nil && resume
	switch {
	case err == nil && !resume:
		err = os.Remove(meta) // first: without it the rest counts for nothing
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return err
	}
	files, err := os.ReadDir(f.Path)
	if err != nil {
		return err
	}
	for _, file := range files {
		if file.Name() == lockFile || f.Imported && !strings.HasSuffix(file.Name(), ".tmp") {
			continue
		}
		if err := os.Remove(filepath.Join(f.Path, file.Name())); err != nil {
			return err
		}
	}
	return nil
}

// acquire makes the folder and takes its lock.
func (f *Folder) acquire() error {
	if err := os.MkdirAll(f.Path, 0o777); err != nil {
		return fmt.Errorf("the folder for rows on disk: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(f.Path, lockFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Path, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return run.Usagef("%s is in use by another job on the same edges; wait for it, or give another --disk", f.Path)
		}
		return fmt.Errorf("lock %s: %w", f.Path, err)
	}
	f.lock = lock
	return nil
}

// Close lets others have the folder, which stays for --resume.
func (f *Folder) Close() error { return f.lock.Close() }

// Remove removes the folder.
func (f *Folder) Remove() error { return errors.Join(os.RemoveAll(f.Path), f.lock.Close()) }

// Size is how large the graph in the folder is, and the index of its rows.
func (f *Folder) Size() (Size, *rowfile.Index, error) {
	m, err := readMeta(f.Path)
	if err != nil {
		return Size{}, nil, err
	}
	s := Size{Nodes: int64(m.Nodes), Pairs: m.Index.Entries / 2, Labels: m.Names}
	if m.Sparse {
		s.Greatest = rankOffset
	}
	return s, &m.Index, nil
}
