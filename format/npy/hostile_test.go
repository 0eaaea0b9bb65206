package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

func TestHostileHeadersAreRefused(t *testing.T) {
	for _, text := range []string{
		"",
		"{",
		"{}",
		"{'descr': '<f4', 'fortran_order': False}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",                                          // no data
		"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",                                         // negative
		"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}",    // product overflows
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2305843009213693952, 2)}",                      // bytes overflow
		"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",                       // beyond 2^63
		"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807,)}",                        // beyond the file
		"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904, 0)}", // overflows but for a zero
		"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (0,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (0,), 'x': 1}",
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (0,)}",
		"{'descr': '<f16', 'fortran_order': False, 'shape': (0,)}",
		"{'descr': '<c8', 'fortran_order': False, 'shape': (0,)}",
		"{'descr': '<f+4', 'fortran_order': False, 'shape': (0,)}",
		"{'descr': '<U-1', 'fortran_order': False, 'shape': (0,)}",
		"{'descr': '<U9999999999', 'fortran_order': False, 'shape': (0,)}",
		"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (0,)}",
		"{'descr': __import__('os'), 'fortran_order': False, 'shape': (0,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} + evil",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (" + strings.Repeat("0, ", 65) + ")}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)",
	} {
		hostile.MustRefuse(t, "x.npy", header(text), Check)
	}
	// A text type of no characters could claim any number of elements without a byte of data.
	hostile.MustRefuse(t, "x.npy", header("{'descr': '<U0', 'fortran_order': False, 'shape': (4611686018427387904,)}"), Check)
	// A version 2.0 header as long as 4 GiB.
	long := append([]byte(magic), 2, 0, 0xff, 0xff, 0xff, 0xff)
	hostile.MustRefuse(t, "x.npy", long, Check)
	hostile.MustRefuse(t, "x.npy", append([]byte(magic), 4, 0, 0, 0, 0, 0), Check)
	good := "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }  \n"
	hostile.MustRefuse(t, "x.npy", append(header(good), 0), Check) // a byte too many
	if err := Check(write(t, "x.npy", header(good))); err != nil {
		t.Errorf("an empty array: %v", err)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"version1.npy", "version2.npy", "version3.npy", "stored.npz", "deflated.npz"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		hostile.Truncations(t, name, content, Check)
		noticed, tried := hostile.BitFlips(t, name, content, Check)
		t.Logf("%s: %d of %d bit flips noticed", name, noticed, tried)
		if noticed == 0 {
			t.Errorf("%s: no bit flip was noticed", name)
		}
	}
}

// bomb returns an archive of one deflated member of n zero bytes whose declared size is as given.
func bomb(t *testing.T, n int, declared uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	w, err := z.CreateHeader(&zip.FileHeader{Name: "x.npy", Method: zip.Deflate})
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range n / len(zeros) {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	central := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[central+24:], uint32(declared))
	return b
}

func TestZipBombsAreRefused(t *testing.T) {
	const mib = 1 << 20
	hostile.MustRefuse(t, "bomb.npz", bomb(t, 64*mib, 16), Check)       // yields more than declared
	hostile.MustRefuse(t, "bomb.npz", bomb(t, 1*mib, 2*mib), Check)     // yields less than declared
	hostile.MustRefuse(t, "bomb.npz", bomb(t, 1*mib, 1<<32-2), Check)   // declares more than deflate can hold
	hostile.MustRefuse(t, "bomb.npz", bomb(t, 512*mib, 512*mib), Check) // honest, but beyond the bound
}

func TestTwoMembersOfOneNameAreRefused(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for range 2 {
		if _, err := z.Create("x.npy"); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	hostile.MustRefuse(t, "twice.npz", out.Bytes(), Check)
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
