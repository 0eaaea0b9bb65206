package kcore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// meta is what graph.json holds, in one line; a second one is its CRC-32C.
type meta struct {
	Version  int           `json:"version"`
	Nodes    int           `json:"nodes"`
	Declared bool          `json:"declared"`
	Sparse   bool          `json:"sparse"`          // ids are in a file
	Names    int64         `json:"names,omitempty"` // bytes of the file of ids that are texts; 0: they are none
	IDSum    uint32        `json:"id_sum"`          // CRC-32C of the file of ids, of either kind
	Counts   Counts        `json:"counts"`
	Index    rowfile.Index `json:"index"`
}

const metaVersion = 2

// again is what to do about a damaged file of a job.
const again = "the disk or the file is damaged: read the edges again, without --resume"

func sumLine(text []byte) string {
	return fmt.Sprintf("\n%08x\n", crc32.Checksum(text, castagnoli))
}

func writeMeta(dir string, m *meta) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return memory.WriteAtomic(filepath.Join(dir, metaFile), append(text, sumLine(text)...))
}

// readMeta reads what Import has written last; the error is os.ErrNotExist where it has not come that far.
func readMeta(dir string) (*meta, error) {
	path := filepath.Join(dir, metaFile)
	all, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text, sum, _ := bytes.Cut(all, []byte("\n"))
	if "\n"+string(sum) != sumLine(text) {
		return nil, format.CorruptAt(path, 0, "graph", "a wrong checksum", "what was written").WithHint(again)
	}
	m := &meta{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, format.CorruptAt(path, 0, "graph", "", "JSON").WithCause(err)
	}
	if m.Version != metaVersion || m.Nodes <= 0 || m.Nodes > math.MaxInt32 || m.Index.Nodes != m.Nodes {
		return nil, format.CorruptAt(path, 0, "graph", fmt.Sprintf("version %d, %d nodes", m.Version, m.Nodes), fmt.Sprintf("version %d", metaVersion)).
			WithHint(again)
	}
	return m, nil
}

// summedFile is an atomic file and the CRC-32C of what was written to it.
type summedFile struct {
	*memory.AtomicFile
	sum uint32
}

func createSummed(path string) (*summedFile, error) {
	f, err := memory.CreateAtomic(path)
	if err != nil {
		return nil, err
	}
	return &summedFile{AtomicFile: f}, nil
}

// Write appends.
func (f *summedFile) Write(p []byte) (int, error) {
	f.sum = crc32.Update(f.sum, castagnoli, p)
	return f.AtomicFile.Write(p)
}

// wrongSum is the error for a file of ids that is not what was written.
func wrongSum(path string) error {
	return format.CorruptAt(path, 0, "ids", "a wrong checksum", "what was written").WithHint(again)
}
