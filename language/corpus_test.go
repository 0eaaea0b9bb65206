package language

import (
	"compress/gzip"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/seraph-ml/seraph/format"
)

func writeText(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadText(t testing.TB, path string) *Corpus {
	t.Helper()
	c, err := Survey(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Load(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestCorpusIsCodePointsInAscendingOrder(t *testing.T) {
	c := loadText(t, writeText(t, "zé\r\na€zza𝄞"))
	if got, want := string(c.Alphabet), "\n\razé€𝄞"; got != want {
		t.Errorf("alphabet %q, expected %q", got, want)
	}
	if want := []int32{3, 4, 1, 0, 2, 5, 3, 3, 2}; !slices.Equal(c.Train, want) { // 90 % of ten
		t.Errorf("training part %v, expected %v", c.Train, want)
	}
	if !slices.Equal(c.Val, []int32{6}) || c.ValBytes != 0 {
		t.Errorf("validation part %v of %d bytes to predict", c.Val, c.ValBytes)
	}
}

func TestCorpusSaysTheTextAgain(t *testing.T) {
	path := writeText(t, "")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := Survey(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Load(); err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var b strings.Builder
		for _, id := range slices.Concat(c.Train, c.Val) {
			b.WriteRune(c.Alphabet[id])
		}
		if b.String() != text {
			t.Fatalf("ids of %q say %q", text, b.String())
		}
		if len(c.Train) != c.Cut() || len(c.Train)+len(c.Val) != utf8.RuneCountInString(text) {
			t.Fatalf("%d and %d characters", len(c.Train), len(c.Val))
		}
		var bytes int
		for _, id := range c.Val[min(1, len(c.Val)):] {
			bytes += utf8.RuneLen(c.Alphabet[id])
		}
		if c.ValBytes != int64(bytes) {
			t.Fatalf("%d bytes to predict, expected %d", c.ValBytes, bytes)
		}
		if ids, err := encode(c.Alphabet, text); err != nil || !slices.Equal(ids, slices.Concat(c.Train, c.Val)) {
			t.Fatalf("encoded %v, %v", ids, err)
		}
	})
}

func TestCorpusReadsCompressedText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte("abcabcabca")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if c := loadText(t, path); c.Characters != 10 || string(c.Alphabet) != "abc" {
		t.Errorf("%d characters of %q", c.Characters, string(c.Alphabet))
	}
}

func TestBytesThatAreNotUTF8AreRefusedWithTheirPlace(t *testing.T) {
	long := strings.Repeat("ä", 40_000) // more than a buffer
	for text, want := range map[string]string{
		"abc\xffdef":     "@3: ",
		"\xc3":           "@0: ",
		"ab\xed\xa0\x80": "@2: ", // a surrogate
		long + "\x80":    "@80000: ",
	} {
		path := writeText(t, text)
		_, err := Survey(path)
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), path+want) || !strings.Contains(err.Error(), "convert the file to UTF-8") {
			t.Errorf("%.10q…: %v, expected damage at %s", text, err, want)
		}
	}
	if _, err := Survey(writeText(t, "a replacement character \ufffd is one like all others")); err != nil {
		t.Error(err)
	}
}

func TestTextThatChangesWhileItIsReadIsRefused(t *testing.T) {
	for name, other := range map[string]string{"longer": "abcabcabcabc", "shorter": "abc", "of another alphabet": "abcabcabcd"} {
		path := writeText(t, "abcabcabca")
		c, err := Survey(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(other), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := c.Load(); err == nil || !strings.Contains(err.Error(), "somebody writes to the file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFrequenciesByHand(t *testing.T) {
	// Training part: a a b a a b a a b; validation part: a (not predicted), b, a.
	c := loadText(t, writeText(t, strings.Repeat("aab", 9)+"aba"))
	if len(c.Train) != 27 {
		t.Fatalf("%d characters to train on", len(c.Train))
	}
	alone, after := c.frequencies()
	pa, pb := 19.0/29, 10.0/29
	want := -(math.Log(pb) + math.Log(pa)) / 2
	if math.Abs(alone-want) > 1e-12 {
		t.Errorf("characters alone: %v nats, expected %v", alone, want)
	}
	// Of 18 pairs that begin with a 9 end with b; of 8 that begin with b all end with a.
	want = -(math.Log((9+pb)/19) + math.Log((8+pa)/9)) / 2
	if math.Abs(after-want) > 1e-12 {
		t.Errorf("characters behind another: %v nats, expected %v", after, want)
	}
}
