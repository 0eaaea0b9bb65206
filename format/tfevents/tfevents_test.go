package tfevents

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

func wall(ms int64) time.Time { return time.UnixMilli(1700000000000 + ms) }

// write writes the events of golden.py into a new folder and returns the file.
func write(t *testing.T) string {
	t.Helper()
	w, err := Create(t.TempDir(), wall(250), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		w.Scalars(wall(1500), 0, Scalar{"train/loss", 0.75}, Scalar{"lr", 0}),
		w.Scalars(wall(2500), 1<<40, Scalar{"train/loss", math.NaN()}),
		w.Text(wall(3000), 7, "config", "*Zürich*"),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return w.Path
}

func TestWritesTheSameBytesAsTensorBoard(t *testing.T) {
	got, err := os.ReadFile(write(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/golden.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadsWhatTensorBoardWrites(t *testing.T) {
	var got []Event
	for e, err := range Read("testdata/golden.tfevents") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []Event{
		{Wall: 1700000000.25, Version: "brain.Event:2"},
		{Wall: 1700000000.25, Step: 101, Start: true},
		{Wall: 1700000001.5, Values: []Value{{Tag: "train/loss", Kind: "scalar", Scalar: 0.75}, {Tag: "lr", Kind: "scalar"}}},
		{Wall: 1700000002.5, Step: 1 << 40, Values: []Value{{Tag: "train/loss", Kind: "scalar", Scalar: float32(math.NaN())}}},
		{Wall: 1700000003, Step: 7, Values: []Value{{Tag: "config", Kind: "text", Text: "*Zürich*"}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

func TestEachStartHasAFileOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for range 3 {
		w, err := Create(dir, wall(0), 0)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		paths = append(paths, filepath.Base(w.Path))
	}
	want := []string{"events.out.tfevents.1700000000.seraph.0", "events.out.tfevents.1700000000.seraph.1", "events.out.tfevents.1700000000.seraph.2"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
}

func TestACutRecordIsShownAndRefused(t *testing.T) {
	whole, err := os.ReadFile("testdata/golden.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.tfevents.1")
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o644); err != nil {
		t.Fatal(err)
	}
	err = Check(path)
	hostile.Judge(t, err, path)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, expected one of an early end", err)
	}
	d, err := Describe(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(format.Field{Name: "events", Value: "4"}, d.Fields[1]); diff != "" {
		t.Error(diff)
	}
	if len(d.Notes) != 2 || !strings.Contains(d.Notes[1], path+"@") {
		t.Errorf("notes %q, expected the place of the cut", d.Notes)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	content, err := os.ReadFile("testdata/golden.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]bool{} // a file that is cut between two records is whole
	for at := 0; at < len(content); {
		at += 16 + int(content[at])
		ends[at] = true
	}
	for n := range content {
		if !ends[n] {
			hostile.MustRefuse(t, "cut.tfevents", content[:n], Check)
		}
	}
	noticed, tried := hostile.BitFlips(t, "flip.tfevents", content, Check)
	if noticed != tried { // every byte is under a checksum
		t.Errorf("%d of %d bit flips noticed", noticed, tried)
	}
}

func TestHostileRecordsAreRefused(t *testing.T) {
	length := func(n byte) []byte { // a record whose length claims 2^(8·n)
		b := make([]byte, 8)
		b[n] = 1
		sum := maskedCRC(b)
		return append(b, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	}
	for n := range byte(8) {
		hostile.MustRefuse(t, "long.tfevents", length(n), Check)
	}
	for name, event := range map[string]message{
		"bytes beyond the event":  message(nil).key(5, wireBytes).key(100, wireVarint),
		"a group":                 message(nil).key(5, 3),
		"field 0":                 {0x00, 0x00},
		"a number without end":    {0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"half a double":           {0x09, 1, 2, 3},
		"a value that is damaged": message(nil).bytes(5, message(nil).bytes(1, message{0x09, 1})),
	} {
		if err := tryEvent(t, event); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func tryEvent(t *testing.T, event []byte) error {
	path := filepath.Join(t.TempDir(), "x.tfevents")
	if err := os.WriteFile(path, appendRecord(nil, event), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Check(path)
	hostile.Judge(t, err, path)
	return err
}

func FuzzEvent(f *testing.F) {
	for e, err := range Read("testdata/golden.tfevents") {
		if err != nil {
			f.Fatal(err)
		}
		m := newEvent(wall(0), e.Step)
		for _, v := range e.Values {
			m = m.bytes(5, message(nil).bytes(1, textValue(v.Tag, v.Text)))
		}
		f.Add([]byte(m))
	}
	f.Fuzz(func(t *testing.T, event []byte) { parseEvent(event) })
}

func FuzzFile(f *testing.F) {
	content, err := os.ReadFile("testdata/golden.tfevents")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Fuzz(func(t *testing.T, content []byte) {
		read(format.NewSource("x.tfevents", bytes.NewReader(content), int64(len(content))), func(_ Event, err error) bool {
			hostile.Judge(t, err, "x.tfevents")
			return true
		})
	})
}
