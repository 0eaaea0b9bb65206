package edgelist

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seraph-ml/seraph/format"
)

// namesOf reads a list of names; the edges are sorted, as their order is open.
func namesOf(content string, workers int) ([]string, PairCounts, error) {
	var mu sync.Mutex
	var edges []string
	counts, err := ReadNamesFrom("x.txt", strings.NewReader(content), workers, func(_ int, names [][]byte) error {
		mu.Lock()
		defer mu.Unlock()
		for i := 0; i < len(names); i += 2 {
			edges = append(edges, fmt.Sprintf("%s–%s", names[i], names[i+1]))
		}
		return nil
	})
	slices.Sort(edges)
	return edges, counts, err
}

func TestNamesInManySpellings(t *testing.T) {
	for _, c := range []struct {
		content string
		want    []string
		longer  int64
	}{
		{"ann bob\nbob cem", []string{"ann–bob", "bob–cem"}, 0},
		{"\xef\xbb\xbf# people\r\n\r\nann\tbob\r\n  bob , cem\r\n% end\n", []string{"ann–bob", "bob–cem"}, 0},
		{"ann,bob,5\nbob,cem,\n", []string{"ann–bob", "bob–cem"}, 1},
		{"1 -2\n1.5 http://x/#y\n", []string{"1.5–http://x/#y", "1–-2"}, 0},
		{"Zoë \"q\"\n", []string{"Zoë–\"q\""}, 0},
	} {
		for workers := 1; workers < 3; workers++ {
			got, counts, err := namesOf(c.content, workers)
			if err != nil || !slices.Equal(got, c.want) || counts.Longer != c.longer || counts.Pairs != int64(len(c.want)) {
				t.Errorf("%q: %q, %+v, %v; expected %q", c.content, got, counts, err, c.want)
			}
		}
	}
}

func TestManyNamesComeFromAllChunks(t *testing.T) {
	var content bytes.Buffer
	var want []string
	for i := range 30_000 { // of 27 bytes a line: several chunks
		fmt.Fprintf(&content, "person-%05d company-%05d\n", i, i%77)
		want = append(want, fmt.Sprintf("person-%05d–company-%05d", i, i%77))
	}
	got, _, err := namesOf(content.String(), 3)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d edges, %v; expected %d", len(got), err, len(want))
	}
}

func TestWrongNamesAreRefused(t *testing.T) {
	for content, want := range map[string]string{
		"":           "x.txt:1: edge list: found no edge",
		"# a b\n":    "x.txt:1: edge list: found no edge",
		"a b\n\nc\n": "x.txt:3: second node id: found none",
		"a b\n,c\n":  "x.txt:2: node id: found none",
		"a,,b\n":     "x.txt:1: second node id: found none",
		"a b\nc " + strings.Repeat("d", LongestName+1) + "\n": "x.txt:2: second node id: found one of 65537 bytes",
	} {
		_, _, err := namesOf(content, 2)
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, expected %s", content, err, want)
		}
	}
}

func TestHasNames(t *testing.T) {
	for content, want := range map[string]bool{
		"ann bob\nbob cem\n":       true,
		"ann bob":                  true,
		"# 1 2\nann 1\nbob 2\n":    true,
		"-1 2\n-3 4\n":             true,
		"from to\n1 2\n":           false,
		"1 2\nann bob\n":           false,
		"ann\nbob\n":               false,
		"":                         false,
		"a\x00b c\nd e\n":          false,
		"\xff\xfe a\n\xff\xfe b\n": false,
	} {
		if got := HasNames([]byte(content)); got != want {
			t.Errorf("%q: %v", content, got)
		}
	}
}
