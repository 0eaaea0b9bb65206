package run

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// manifest says that a checkpoint is complete, and what its files must be. It is written last.
type manifest struct {
	Version int        `json:"version"`
	Step    int        `json:"step"`
	Files   []fileSeal `json:"files"`
}

// fileSeal is what the content of a file must be.
type fileSeal struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// writeSealed writes a file past the page cache and synced, and returns what was written.
func writeSealed(path string, write func(w io.Writer) error) (fileSeal, error) {
	f, err := memory.CreateAtomic(path)
	if err != nil {
		return fileSeal{}, err
	}
	defer f.Close()
	hash := sha256.New()
	count := &counter{}
	if err := write(io.MultiWriter(f, hash, count)); err != nil {
		return fileSeal{}, fmt.Errorf("write %s: %w", path, err)
	}
	return fileSeal{filepath.Base(path), count.n, hex.EncodeToString(hash.Sum(nil))}, f.Commit()
}

// writeUnsynced writes a file that need not survive a crash of the machine, and returns what was written: whoever reads it
// verifies it.
func writeUnsynced(path string, write func(w io.Writer) error) (fileSeal, error) {
	f, err := os.Create(path)
	if err != nil {
		return fileSeal{}, err
	}
	hash := sha256.New()
	count := &counter{}
	buffered := bufio.NewWriterSize(io.MultiWriter(f, hash, count), 1<<16)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fileSeal{}, fmt.Errorf("write %s: %w", path, err)
	}
	return fileSeal{filepath.Base(path), count.n, hex.EncodeToString(hash.Sum(nil))}, nil
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// maxSmall is far more than the small files of a run take: settings, manifests, outcomes.
const maxSmall = 1 << 20

func readManifest(path string) (*manifest, error) {
	text, err := readSmall(path, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, format.CorruptAt(path, -1, "manifest", "no such file", "the last file of a complete checkpoint").WithCause(err)
	}
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, format.CorruptAt(path, -1, "manifest", "", "").WithCause(err)
	}
	if m.Version != checkpointVersion {
		return nil, format.CorruptAt(path, -1, "version", fmt.Sprint(m.Version), fmt.Sprint(checkpointVersion)).WithHint("written by another version of seraph")
	}
	return m, nil
}

// readSmall reads a file that must not be larger than limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(text)) > limit {
		return nil, format.CorruptAt(path, -1, "size", fmt.Sprintf("more than %d bytes", limit), "less")
	}
	return text, nil
}

// verify reads the file in dir, past the page cache, and compares.
func (s fileSeal) verify(dir string) error {
	path := filepath.Join(dir, s.Name)
	if strings.ContainsAny(s.Name, `/\`) {
		return format.CorruptAt(path, -1, "name", s.Name, "the name of a file in the folder")
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return format.CorruptAt(path, -1, "file", "none", fmt.Sprintf("%d bytes", s.Bytes)).WithCause(err)
	}
	if err != nil {
		return err
	}
	if info.Size() != s.Bytes {
		return format.CorruptAt(path, -1, "size", fmt.Sprint(info.Size()), fmt.Sprint(s.Bytes))
	}
	sum, err := hashFile(path)
	if err != nil {
		return err
	}
	if sum != s.SHA256 {
		return format.CorruptAt(path, -1, "SHA-256", sum, s.SHA256)
	}
	return nil
}

func hashFile(path string) (string, error) {
	f, err := memory.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := f.ReadAt(buf, at)
		hash.Write(buf[:n])
		at += int64(n)
		if err == io.EOF {
			return hex.EncodeToString(hash.Sum(nil)), nil
		}
		if err != nil {
			return "", fmt.Errorf("read %s: %w", path, err)
		}
	}
}
