package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Dir is a run directory.
type Dir struct {
	Path string

	lock *os.File // held while a job works in the directory; nil for readers
	made bool     // by this job, and nothing but what run writes is in it
}

// lockName is the file that is locked while a job works in a run directory. The system gives the lock back however the
// process ends.
const lockName = ".lock"

// Name returns the default name of a run directory: runs/MODEL-DATA-YYYYMMDD-HHMMSS.
func Name(model, data string, now time.Time) string {
	if abs, err := filepath.Abs(data); err == nil { // "." has a name, too
		data = abs
	}
	base := filepath.Base(data)
	switch ext := filepath.Ext(base); strings.ToLower(ext) {
	case ".zip", ".npz", ".npy", ".csv", ".tsv", ".txt", ".gz", ".zst", ".parquet", ".json", ".jsonl", ".mtx", ".graph", ".metis", ".safetensors":
		base = strings.TrimSuffix(base, ext)
	}
	base = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, base)
	return filepath.Join("runs", fmt.Sprintf("%s-%s-%s", model, strings.Trim(base, "."), now.Format("20060102-150405")))
}

// openDir makes the run directory at path, or with resume opens it as it is, and locks it.
func openDir(path string, resume bool) (*Dir, error) {
	made := os.MkdirAll(filepath.Dir(path), 0o777) == nil && os.Mkdir(path, 0o777) == nil
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, noPlace(err)
	}
	d := &Dir{Path: path, made: made}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	used, err := d.used()
	if err == nil && used && !resume {
		err = Usagef("%s is not empty; give another --out", path)
		if _, statErr := os.Stat(d.File(configName)); statErr == nil {
			err = Usagef("%s holds a run; --resume goes on with it, or give another --out", path)
		}
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// newDir makes a run directory with the default name; where two jobs begin in the same second, the later gets "-2".
func newDir(model, data string, now time.Time) (*Dir, error) {
	name := Name(model, data, now)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, noPlace(err)
	}
	for path, i := name, 2; ; path, i = fmt.Sprintf("%s-%d", name, i), i+1 {
		err := os.Mkdir(path, 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, noPlace(err)
		}
		d := &Dir{Path: path, made: true}
		return d, d.acquire()
	}
}

// noPlace says that a run directory cannot be made where it was to be.
func noPlace(err error) error {
	return Usagef("make the run directory: %w; give another --out", err)
}

// acquire takes the lock, or says that another job has it.
func (d *Dir) acquire() error {
	f, err := os.OpenFile(d.File(lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return Usagef("lock the run directory: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, _ := os.ReadFile(d.File(lockName))
		f.Close()
		return Usagef("%s is in use by process %s; wait for it, or give another --out", d.Path, strings.TrimSpace(string(holder)))
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("lock %s: %w", d.Path, err)
	}
	d.lock = f
	return nil
}

// tidy removes what writers that were killed left behind: files under temporary names.
func (d *Dir) tidy() error {
	return filepath.WalkDir(d.Path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".tmp") {
			return err
		}
		return os.Remove(path)
	})
}

// used reports whether there is anything in the directory but what a job leaves that ended before its config.toml stood.
func (d *Dir) used() (bool, error) {
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		return false, fmt.Errorf("look into the run directory: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); name != lockName && name != environmentName && !strings.HasSuffix(name, ".tmp") {
			return true, nil
		}
	}
	return false, nil
}

// File is the path of a file in the directory.
func (d *Dir) File(name string) string { return filepath.Join(d.Path, filepath.FromSlash(name)) }

// Close gives the lock back.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	err := d.lock.Close()
	d.lock = nil
	return err
}
