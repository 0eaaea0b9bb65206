package edgelist

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// pairsOf reads a list with some workers; the pairs are sorted, as their order is open.
func pairsOf(content string, workers int) ([][2]int64, PairCounts, error) {
	var mu sync.Mutex
	var pairs [][2]int64
	counts, err := ReadPairsFrom("x.txt", strings.NewReader(content), workers, func(_ int, ids []int64) error {
		mu.Lock()
		defer mu.Unlock()
		for i := 0; i < len(ids); i += 2 {
			pairs = append(pairs, [2]int64{ids[i], ids[i+1]})
		}
		return nil
	})
	sortPairs(pairs)
	return pairs, counts, err
}

func sortPairs(pairs [][2]int64) {
	slices.SortFunc(pairs, func(a, b [2]int64) int { return slices.Compare(a[:], b[:]) })
}

// readPairs is the same through Read.
func slowPairs(content string) ([][2]int64, error) {
	g, err := readString(content, Options{})
	if err != nil {
		return nil, err
	}
	pairs := make([][2]int64, len(g.Src))
	for i := range pairs {
		u, v := int64(g.Src[i]), int64(g.Dst[i])
		if g.IDs != nil {
			u, v = g.IDs[u], g.IDs[v]
		}
		pairs[i] = [2]int64{u, v}
	}
	sortPairs(pairs)
	return pairs, nil
}

// agree holds the reader of pairs against Read: the same edges, or an error of both, in the same line.
func agree(t *testing.T, content string, workers int) {
	t.Helper()
	want, slowErr := slowPairs(content)
	got, counts, err := pairsOf(content, workers)
	if (err == nil) != (slowErr == nil) {
		t.Fatalf("%.80q: %v, expected %v", content, err, slowErr)
	}
	if err != nil {
		hostile.Judge(t, err, "x.txt")
		if c, slow := err.(*format.CorruptError), slowErr.(*format.CorruptError); c.Line != slow.Line && counts.Pairs > 0 {
			t.Errorf("%.80q: line %d (%v), expected %d (%v)", content, c.Line, c, slow.Line, slow)
		}
		return
	}
	if !slices.Equal(got, want) || counts.Pairs != int64(len(want)) {
		t.Errorf("%.80q: pairs %v (%d), expected %v", content, got, counts.Pairs, want)
	}
}

var spellings = []string{
	"0\t1\n1\t2\n2\t0\n", "0 1\n1 2\n2 0", " 0,1 \r\n1 , 2\r\n\r\n2,\t0\r\n \r\n", "# Nodes: 3\n0 1\n#\n1 2\n2 0\n", "% sym\n0 1\n",
	"id_1,id_2\n0,1\n", "# 1\n\n\"a\" \"b\"\n0 1\n", "3 9223372036854775806\n9223372036854775807 3\n", "00 01\n0000000001 02\n", "12345678 123456789\n",
	"0 1 5\n1 2 6 1234567\n2 0\n", "0 1 x 5\n", "1,,2\n", "1\n", "1 \n", "1 2x\n", "x 1\n0 1\ny 2\n", "9223372036854775808 1\n", "-1 2\n", "", "#\n", "\xef\xbb\xbf1 2\n", "1 2\n\n3\n4 5\n", "1;2\n", ",1 2\n", "1 2,\n", "99999999 1\n",
}

func TestPairsAreThoseThatReadFinds(t *testing.T) {
	for _, content := range spellings {
		for _, workers := range []int{1, 3} {
			agree(t, content, workers)
		}
	}
}

// Lists of many chunks, with ids of all lengths and comments between, and mistakes in some.
func TestPairsAcrossChunks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for b.Len() < 3*chunkBytes {
		id := func() int64 { return rng.Int64() >> rng.IntN(63) }
		switch rng.IntN(12) {
		case 0:
			fmt.Fprintf(&b, "# %d\n", id())
		case 1:
			fmt.Fprintf(&b, " %d , %d\t%d\r\n", id(), id(), id())
		default:
			fmt.Fprintf(&b, "%d %d\n", id(), id())
		}
	}
	agree(t, b.String(), 4)
	text := b.Bytes()
	for range 5 {
		i := rng.IntN(len(text))
		old := text[i]
		text[i] = 'x'
		agree(t, string(text), 4)
		text[i] = old
	}
	if _, _, err := pairsOf("1 2\n"+strings.Repeat("3", chunkBytes+1), 2); err == nil || !strings.Contains(err.Error(), "x.txt:2: ") {
		t.Errorf("a line without end: %v", err)
	}
}

func TestPairsPassErrorsOn(t *testing.T) {
	stop := fmt.Errorf("no more")
	_, err := ReadPairsFrom("x", strings.NewReader(strings.Repeat("1 2\n", chunkBytes)), 2, func(int, []int64) error { return stop })
	if err != stop {
		t.Errorf("%v, expected what emit said", err)
	}
}

func FuzzPairs(f *testing.F) {
	for _, content := range spellings {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if len(content) < 1<<14 {
			agree(t, content, 2)
		}
	})
}

func BenchmarkPairs(b *testing.B) {
	var text bytes.Buffer
	rng := rand.New(rand.NewPCG(1, 1))
	for text.Len() < 64<<20 {
		fmt.Fprintf(&text, "%d %d\n", rng.Int64N(1<<20), rng.Int64N(1<<20))
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if _, err := ReadPairsFrom("x", bytes.NewReader(text.Bytes()), workers, func(int, []int64) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
