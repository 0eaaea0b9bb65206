package format_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// drain reads the whole stream.
func drain(path string) error {
	s, err := format.OpenStream(path)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = io.Copy(io.Discard, s)
	return err
}

func TestGzipBombIsRefused(t *testing.T) {
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 256 + 256 { // the second half is more than 100 times the compressed size
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if n := bomb.Len(); 256<<20+100*n >= 512<<20 {
		t.Fatalf("%d bytes are no bomb", n)
	}
	hostile.MustRefuse(t, "x.gz", bomb.Bytes(), drain)
}

func TestStreamsInflateByName(t *testing.T) {
	content := []byte("content")
	for name, data := range map[string][]byte{"x": content, "x.gz": hostile.Gzip(t, content), "y": hostile.Gzip(t, content)} {
		s, err := format.OpenStream(hostile.Write(t, name, data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s)
		if err != nil {
			t.Error(err)
		}
		want := content
		if name == "y" {
			want = data
		}
		if !bytes.Equal(got, want) || s.Size != int64(len(data)) {
			t.Errorf("%s: %d bytes of size %d, expected %d of %d", name, len(got), s.Size, len(want), len(data))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
