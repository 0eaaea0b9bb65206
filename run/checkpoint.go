package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/safetensors"
)

// The files of a checkpoint.
const (
	manifestName = "MANIFEST.json" // written last: a folder without it is not a checkpoint
	tensorsName  = "tensors.safetensors"
	stateName    = "state.json"
)

// checkpointVersion is the version of the checkpoint folder.
const checkpointVersion = 1

// checkpointsKept is how many checkpoints stay: the newest, and the one before it in case the newest is damaged later.
const checkpointsKept = 2

// Snapshot is what a training needs to go on as if it had not been interrupted.
type Snapshot struct {
	Tensors []safetensors.Input // read while the checkpoint is written, tensor by tensor
	State   any                 // small things as JSON: counters, the best metric so far
}

// writeCheckpoint writes checkpoints/STEP in dir: into a temporary folder, files and folder synced, MANIFEST.json last, then
// renamed. A crash at any moment leaves the older checkpoints as they are, and at worst a folder that ends in .tmp.
func writeCheckpoint(dir string, step int, s Snapshot) error {
	err := os.Mkdir(dir, 0o777)
	if err == nil { // the first one
		err = format.SyncFolder(filepath.Dir(dir))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	final := filepath.Join(dir, strconv.Itoa(step))
	temporary := final + ".tmp"
	if err := errors.Join(os.RemoveAll(temporary), os.Mkdir(temporary, 0o777)); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	defer os.RemoveAll(temporary)

	m := manifest{Version: checkpointVersion, Step: step}
	for _, file := range []struct {
		name  string
		write func(w io.Writer) error
	}{
		{tensorsName, func(w io.Writer) error { return safetensors.Encode(w, s.Tensors, nil) }},
		{stateName, func(w io.Writer) error { return json.NewEncoder(w).Encode(s.State) }},
	} {
		seal, err := writeSealed(filepath.Join(temporary, file.name), file.write)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, seal)
	}
	if err := writeJSON(filepath.Join(temporary, manifestName), m); err != nil { // syncs the folder
		return err
	}
	if err := moveAway(final); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := os.Rename(temporary, final); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := format.SyncFolder(dir); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return forgetCheckpoints(dir)
}

// moveAway removes a folder so that a crash half-way leaves nothing under its name.
func moveAway(path string) error {
	gone := path + ".old.tmp"
	if err := os.RemoveAll(gone); err != nil {
		return err
	}
	if err := os.Rename(path, gone); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return os.RemoveAll(gone)
}

// listCheckpoints returns the steps that have a checkpoint folder, newest first.
func listCheckpoints(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for checkpoints: %w", err)
	}
	var steps []int
	for _, e := range entries {
		if step, err := strconv.Atoi(e.Name()); err == nil && step >= 0 && e.IsDir() {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	return steps, nil
}

// forgetCheckpoints removes all checkpoints but the newest, and what crashed writers left.
func forgetCheckpoints(dir string) error {
	steps, err := listCheckpoints(dir)
	if err != nil {
		return err
	}
	for _, step := range steps[min(checkpointsKept, len(steps)):] {
		if err := moveAway(filepath.Join(dir, strconv.Itoa(step))); err != nil {
			return fmt.Errorf("remove an old checkpoint: %w", err)
		}
	}
	return removeFiles(dir, func(name string) bool { return strings.HasSuffix(name, ".tmp") })
}

// removeFiles removes what lies in dir under such names.
func removeFiles(dir string, such func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if such(e.Name()) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// Checkpoint is a complete checkpoint, verified and open for reading.
type Checkpoint struct {
	Step int

	path    string
	tensors *safetensors.File
}

// newestCheckpoint opens the newest checkpoint in dir that is complete, nil when there is none. Each damaged one that is
// newer is reported and set aside as STEP.damaged.
func newestCheckpoint(dir string, report func(err error)) (*Checkpoint, error) {
	steps, err := listCheckpoints(dir)
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		path := filepath.Join(dir, strconv.Itoa(step))
		c, err := openCheckpoint(path, step)
		if err == nil {
			return c, nil
		}
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) {
			return nil, err
		}
		report(err)
		if err := errors.Join(os.RemoveAll(path+".damaged"), os.Rename(path, path+".damaged")); err != nil {
			return nil, fmt.Errorf("set a damaged checkpoint aside: %w", err)
		}
	}
	return nil, nil
}

// openCheckpoint verifies every byte of a checkpoint against its manifest and opens it.
func openCheckpoint(path string, step int) (*Checkpoint, error) {
	m, err := readManifest(filepath.Join(path, manifestName))
	if err != nil {
		return nil, err
	}
	if m.Step != step || len(m.Files) != 2 || m.Files[0].Name != tensorsName || m.Files[1].Name != stateName {
		return nil, format.CorruptAt(filepath.Join(path, manifestName), -1, "manifest", fmt.Sprintf("step %d with %d files", m.Step, len(m.Files)),
			fmt.Sprintf("step %d with %s and %s", step, tensorsName, stateName))
	}
	for _, seal := range m.Files {
		if err := seal.verify(path); err != nil {
			return nil, err
		}
	}
	tensors, err := safetensors.Open(filepath.Join(path, tensorsName))
	if err != nil {
		return nil, err
	}
	return &Checkpoint{Step: step, path: path, tensors: tensors}, nil
}

// Read fills dst with the float32 tensor of that name; its length must be that of the tensor.
func (c *Checkpoint) Read(name string, dst []float32) error {
	return readTensor(c.tensors, filepath.Join(c.path, tensorsName), name, dst)
}

// readTensor fills dst with a tensor of F32 in an open file.
func readTensor(f *safetensors.File, path, name string, dst []float32) error {
	t, ok := f.Tensor(name)
	if !ok {
		return format.CorruptAt(path, -1, fmt.Sprintf("tensor %q", name), "no such tensor", fmt.Sprintf("%d values", len(dst)))
	}
	if t.DType != safetensors.F32 || t.Len() != len(dst) {
		return format.CorruptAt(path, -1, fmt.Sprintf("tensor %q", name), fmt.Sprintf("%s%v", t.DType, t.Shape), fmt.Sprintf("%d values of F32", len(dst)))
	}
	if format.LittleEndian {
		return t.ReadAt(format.Bytes(dst), 0)
	}
	values, err := t.Float32s()
	copy(dst, values)
	return err
}

// Tensor finds a tensor of any type.
func (c *Checkpoint) Tensor(name string) (safetensors.Tensor, bool) { return c.tensors.Tensor(name) }

// State decodes the small state into v, as json.Unmarshal does.
func (c *Checkpoint) State(v any) error {
	path := filepath.Join(c.path, stateName)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return format.CorruptAt(path, -1, "state", "", "").WithCause(err)
	}
	return nil
}

// Close closes the files.
func (c *Checkpoint) Close() error { return c.tensors.Close() }
