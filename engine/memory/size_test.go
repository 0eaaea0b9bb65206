package memory

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseSizeReadsWhatPeopleWrite(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
	}{
		{"0", 0}, {"123456", 123456}, {"7B", 7}, {"1KiB", 1024}, {"300MiB", 300 << 20}, {"1.5GiB", 3 << 29}, {"4GB", 4e9},
		{" 2 gib ", 2 << 30}, {"0.1GiB", 107374182}, {"1.TB", 1e12}, {".5kb", 500}, {"9223372036854775807", math.MaxInt64},
	} {
		if got, err := ParseSize(c.text); err != nil || got != c.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", c.text, got, err, c.want)
		}
	}
}

func TestParseSizeSaysWhatIsWrong(t *testing.T) {
	for text, word := range map[string]string{
		"": "expected a number", "GiB": "expected a number", "-1GiB": "expected a number", "1.2.3MB": "expected a number", ".": "expected a number",
		"4G": `unknown unit "G"`, "1e5": "unknown unit", "1/2GiB": "unknown unit", "9223372036854775808": "more than", "99999999TiB": "more than",
		strings.Repeat("9", 100): "expected a number",
	} {
		if _, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("ParseSize(%q): error %v, want one with %q", text, err, word)
		}
	}
}

func TestFormatSizeNeverReadsBackAsLess(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want string
	}{
		{0, "0B"}, {1023, "1023B"}, {1024, "1KiB"}, {1025, "2KiB"}, {1<<20 + 1, "2MiB"}, {3 << 29, "1536MiB"}, {10 << 30, "10GiB"},
		{10<<30 + 1, "10.1GiB"}, {math.MaxInt64, "8589934592GiB"},
	} {
		if got := FormatSize(c.n); got != c.want {
			t.Errorf("FormatSize(%d) = %s, want %s", c.n, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<62).Draw(t, "n") >> rapid.IntRange(0, 62).Draw(t, "shift")
		text := FormatSize(n)
		back, err := ParseSize(text)
		if err != nil || back < n || back-n >= 1<<30/10+1 {
			t.Fatalf("%d is written %s, which reads %d, %v", n, text, back, err)
		}
	})
}
