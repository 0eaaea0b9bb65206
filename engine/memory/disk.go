package memory

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Disk is a place for what does not fit in memory, as --disk gives it.
type Disk struct {
	Dir  string
	Size int64 // the most bytes to use, 0 for what is free
}

// ParseDisk reads "DIR:SIZE" or "DIR". What follows the last colon is a size when it begins with a digit.
func ParseDisk(s string) (Disk, error) {
	d := Disk{Dir: s}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' && !strings.Contains(s[i:], "/") {
		size, err := ParseSize(s[i+1:])
		if err != nil {
			return Disk{}, fmt.Errorf("disk %q: %w", s, err)
		}
		if size == 0 {
			return Disk{}, fmt.Errorf("disk %q: no room in 0 bytes; leave the size away to use what is free", s)
		}
		d = Disk{Dir: s[:i], Size: size}
	}
	if d.Dir == "" {
		return Disk{}, fmt.Errorf("disk %q: expected a directory and a size, as in /scratch:100GiB", s)
	}
	return d, nil
}

// String writes the place as ParseDisk reads it.
func (d Disk) String() string {
	if d.Size == 0 {
		return d.Dir
	}
	return d.Dir + ":" + FormatSize(d.Size)
}

// Room returns how many bytes a job can put there: what is free, or Size when that is less. The directory, or the
// nearest one above it when it is yet to be made, is asked.
func (d Disk) Room() (int64, error) {
	dir := filepath.Clean(d.Dir)
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(dir, &fs)
		if err == nil {
			break
		}
		if err == unix.EINTR {
			continue
		}
		up := filepath.Dir(dir)
		if err != unix.ENOENT || up == dir {
			return 0, fmt.Errorf("disk %s: %w", d.Dir, err)
		}
		dir = up
	}
	if inMemory(&fs) {
		return 0, fmt.Errorf("disk %s: this file system lies in memory, so nothing would be saved by using it; give a directory on a disk", d.Dir)
	}
	free := int64(math.MaxInt64)
	if block := uint64(fs.Bsize); block > 0 && uint64(fs.Bavail) < math.MaxInt64/block {
		free = int64(uint64(fs.Bavail) * block)
	}
	if d.Size > 0 {
		free = min(free, d.Size)
	}
	return free, nil
}

// Spill is a bounded space of temporary files. Their names are removed as soon as they are open: however the process
// ends, kill -9 included, the system takes the space back, and there is nothing to clean up after a crash.
type Spill struct {
	disk    Disk
	room    int64 // bytes in all
	traffic Traffic

	mu   sync.Mutex
	used int64
	open map[*File]struct{}
}

// OpenSpill begins to use the place. The directory is made when it is missing.
func OpenSpill(d Disk) (*Spill, error) {
	if err := os.MkdirAll(d.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("disk %s: %w", d.Dir, err)
	}
	room, err := d.Room()
	if err != nil {
		return nil, err
	}
	return &Spill{disk: d, room: room, open: map[*File]struct{}{}}, nil
}

// Create makes a temporary file of the given number of bytes, zero at first, which are set aside on the disk. The name is
// for messages. Closing the file gives its bytes back.
func (s *Spill) Create(name string, bytes int64) (*File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes < 0 {
		return nil, fmt.Errorf("disk %s: %s needs %d bytes, which is not a size", s.disk.Dir, name, bytes)
	}
	if left := s.room - s.used; bytes > left {
		return nil, fmt.Errorf("disk %s: %s needs %s and %s of %s is left; give --disk %s:%s or more, or a larger --memory",
			s.disk.Dir, name, FormatSize(bytes), FormatSize(left), FormatSize(s.room), s.disk.Dir, FormatSize(s.used+bytes))
	}
	named, err := os.CreateTemp(s.disk.Dir, ".seraph-spill-")
	if err != nil {
		return nil, fmt.Errorf("disk %s: %w", s.disk.Dir, err)
	}
	f, err := Wrap(named)
	if err = errors.Join(err, os.Remove(named.Name())); err != nil {
		return nil, fmt.Errorf("disk %s: %w", s.disk.Dir, err)
	}
	if err := setAside(f.cached, bytes); err != nil {
		f.Close()
		return nil, fmt.Errorf("disk %s: set aside %s for %s: %w; free some space, give another --disk or a larger --memory", s.disk.Dir, FormatSize(bytes), name, err)
	}
	f.limit, f.traffic = bytes, &s.traffic
	f.closed = func() error { s.forget(f, bytes); return nil }
	s.used += bytes
	s.open[f] = struct{}{}
	return f, nil
}

func (s *Spill) forget(f *File, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.open[f]; ok {
		delete(s.open, f)
		s.used -= bytes
	}
}

// Used returns the bytes set aside now.
func (s *Spill) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Traffic returns the counters of all files of the space, closed ones included.
func (s *Spill) Traffic() *Traffic { return &s.traffic }

// Close closes all files that are still open.
func (s *Spill) Close() error {
	s.mu.Lock()
	var files []*File
	for f := range s.open {
		files = append(files, f)
	}
	s.mu.Unlock()
	var err error
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	return err
}
