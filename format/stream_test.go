package format_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
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

func zstandard(t *testing.T, content []byte, o ...zstd.EOption) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed, o...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestDamagedZstandardIsRefused(t *testing.T) {
	packed := zstandard(t, bytes.Repeat([]byte("a line of text\n"), 1000))
	for n := 1; n < len(packed); n += 3 {
		hostile.MustRefuse(t, "x.zst", packed[:n], drain)
	}
	for at := 0; at < len(packed); at += 3 {
		damaged := bytes.Clone(packed)
		damaged[at] ^= 0x10
		hostile.MustRefuse(t, "x.zst", damaged, drain)
	}
	far := make([]byte, 20<<20) // what is repeated lies further back than the window that is allowed
	for i := range far {
		far[i] = byte(i * i >> 3)
	}
	hostile.MustRefuse(t, "x.zst", zstandard(t, far, zstd.WithWindowSize(16<<20)), drain)
	hostile.MustRefuse(t, "x.zst", hostile.Gzip(t, []byte("content")), drain)
}

func TestStreamsInflateByName(t *testing.T) {
	content := []byte("content")
	for name, data := range map[string][]byte{"x": content, "x.gz": hostile.Gzip(t, content), "x.zst": zstandard(t, content), "y": hostile.Gzip(t, content)} {
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
