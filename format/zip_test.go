package format_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// archive returns a zip with one stored and one deflated member, and a folder.
func archive(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, head := range []zip.FileHeader{{Name: "stored", Method: zip.Store}, {Name: "folder/"}, {Name: "folder/deflated", Method: zip.Deflate}} {
		w, err := z.CreateHeader(&head)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(head.Name, "/") {
			continue
		}
		if _, err := w.Write([]byte(strings.Repeat(head.Name, 10))); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readZip reads all members.
func readZip(path string) error {
	z, err := format.OpenZip(path)
	if err != nil {
		return err
	}
	defer z.Close()
	return readMembers(z)
}

func readMembers(z *format.Zip) error {
	for _, m := range z.Members {
		if _, err := z.Prefix(m, 10); err != nil {
			return err
		}
		if _, err := z.Read(m); err != nil {
			return err
		}
	}
	return nil
}

func TestZipMembers(t *testing.T) {
	z, err := format.OpenZip(hostile.Write(t, "x.zip", archive(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.Members) != 2 {
		t.Fatalf("%d members, expected 2", len(z.Members))
	}
	budget := z.Budget
	for _, m := range z.Members {
		want := strings.Repeat(m.Name, 10)
		got, err := z.Read(m)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q (%v)", m.Name, got, err)
		}
		if prefix, err := z.Prefix(m, 5); err != nil || string(prefix) != want[:5] {
			t.Errorf("%s begins with %q (%v)", m.Name, prefix, err)
		}
		budget -= m.Size
	}
	if z.Budget != budget {
		t.Errorf("a budget of %d is left, expected %d", z.Budget, budget)
	}
	z.Budget = z.Members[0].Size - 1
	if _, err := z.Read(z.Members[0]); err == nil {
		t.Error("a member beyond the budget was read")
	}
}

func TestDamagedZipsAreRefused(t *testing.T) {
	content := archive(t)
	hostile.Truncations(t, "x.zip", content, readZip)
	noticed, tried := hostile.BitFlips(t, "x.zip", content, readZip)
	if noticed < tried/3 {
		t.Errorf("%d of %d bit flips noticed", noticed, tried)
	}
	// Fields of the central directory entry of the first member, and of the file.
	central := bytes.Index(content, []byte("PK\x01\x02"))
	end := bytes.LastIndex(content, []byte("PK\x05\x06"))
	for name, field := range map[string]struct {
		at    int
		value uint32
	}{
		"encrypted":                 {central + 8, 1},
		"unknown method":            {central + 10, 99},
		"compressed beyond file":    {central + 20, 1 << 30},
		"inflated beyond deflate":   {central + 24, 1<<32 - 2},
		"offset beyond file":        {central + 42, 1 << 30},
		"offset of another thing":   {central + 42, 7},
		"directory beyond the file": {end + 16, 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := bytes.Clone(content)
			binary.LittleEndian.PutUint32(damaged[field.at:], field.value)
			hostile.MustRefuse(t, "x.zip", damaged, readZip)
		})
	}
}

func FuzzZip(f *testing.F) {
	f.Add(archive(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		z, err := format.NewZip(format.NewSource("x.zip", bytes.NewReader(content), int64(len(content))))
		if err == nil {
			z.Budget = 1 << 20
			err = readMembers(z)
		}
		hostile.Judge(t, err, "x.zip")
	})
}
