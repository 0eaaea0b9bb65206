package edgelist

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

func readString(content string, opts Options) (*format.Graph, error) {
	t, err := format.NewText(format.NewSource("x.txt", strings.NewReader(content), int64(len(content))))
	if err != nil {
		return nil, err
	}
	return read(t, int64(len(content))/4+1, opts)
}

// cycle is the graph of the edges 0 → 1, 1 → 2, 2 → 0.
func cycle(ids []int64, weights []float32, notes ...string) *format.Graph {
	return &format.Graph{Name: "x", Format: "edgelist", Nodes: 3, IDs: ids, Src: []int32{0, 1, 2}, Dst: []int32{1, 2, 0}, Weights: weights, Notes: notes}
}

func TestOneGraphInManySpellings(t *testing.T) {
	ignored := func(n int) string {
		return fmt.Sprintf("%d values in columns behind the node ids are ignored (--weights COLUMN makes one the weight of the edge)", n)
	}
	for _, c := range []struct {
		name, content string
		weights       int
		want          *format.Graph
	}{
		{"tabs", "0\t1\n1\t2\n2\t0\n", 0, cycle(nil, nil)},
		{"no last line end", "0 1\n1 2\n2 0", 0, cycle(nil, nil)},
		{"CRLF, commas, blanks", " 0,1 \r\n1 , 2\r\n\r\n2,\t0\r\n \r\n", 0, cycle(nil, nil)},
		{"SNAP comments", "# Nodes: 3 Edges: 3\n# FromNodeId\tToNodeId\n0 1\n#\n1 2\n2 0\n", 0, cycle(nil, nil)},
		{"KONECT comments", "% sym unweighted\n0 1\n1 2\n2 0\n", 0, cycle(nil, nil)},
		{"header", "id_1,id_2\n0,1\n1,2\n2,0\n", 0, cycle(nil, nil, "line 1 is taken for a header and skipped")},
		{"quoted header behind comments", "# 1\n\n\"a\" \"b\"\n0 1\n1 2\n2 0\n", 0, cycle(nil, nil, "line 3 is taken for a header and skipped")},
		{"ids from 1", "1 2\n2 3\n3 1\n", 0, cycle([]int64{1, 2, 3}, nil)},
		{"ids with gaps, out of order", "7 50\n50 1000\n1000 7\n", 0, cycle([]int64{7, 50, 1000}, nil)},
		{"large ids", "3 9223372036854775806\n9223372036854775806 9223372036854775807\n9223372036854775807 3\n", 0, cycle([]int64{3, math.MaxInt64 - 1, math.MaxInt64}, nil)},
		{"ids around 2^31", "2147483647 2147483648\n2147483648 4294967296\n4294967296 2147483647\n", 0, cycle([]int64{1<<31 - 1, 1 << 31, 1 << 32}, nil)},
		{"leading zeros", "00 01\n01 02\n02 00\n", 0, cycle(nil, nil)},
		{"columns ignored", "0 1 5\n1 2 6 1234567\n2 0\n", 0, cycle(nil, nil, ignored(3))},
		{"weights", "0 1 5\n1 2 -6.5e0\n2 0 1e-3\n", 3, cycle(nil, []float32{5, -6.5, 0.001})},
		{"weights in column 4", "0 1 x 5\n1 2  6\t7 8\n2 0 , 9\n", 4, nil},
		{"weights in column 4, commas", "0,1,,5\n1,2,x,7,8\n2,0,1,9\n", 4, cycle(nil, []float32{5, 7, 9}, ignored(4))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readString(c.content, Options{Weights: c.weights})
			if c.want == nil {
				if err == nil || !strings.Contains(err.Error(), "x.txt:3: edge weight: found the end of the line, expected a number in column 4") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoopsAndDuplicatesAreKept(t *testing.T) {
	got, err := readString("5 5\n5 5\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := &format.Graph{Name: "x", Format: "edgelist", Nodes: 1, IDs: []int64{5}, Src: []int32{0, 0}, Dst: []int32{0, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Node numbers against a sorted list of the different ids: dense ids, sparse ones, and a few beyond 2^31 among small ones.
func TestNodesAreNumberedInTheOrderOfIds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, id := range map[string]func() int64{
		"dense":         func() int64 { return rng.Int64N(500) },
		"some missing":  func() int64 { return rng.Int64N(5000) },
		"sparse":        func() int64 { return rng.Int64N(1 << 30) },
		"wide":          func() int64 { return rng.Int64() },
		"wide at times": func() int64 { return rng.Int64() >> (rng.IntN(2) * 55) },
	} {
		t.Run(name, func(t *testing.T) {
			var content bytes.Buffer
			var ids []int64
			for range 1000 {
				u, v := id(), id()
				fmt.Fprintln(&content, u, v)
				ids = append(ids, u, v)
			}
			g, err := readString(content.String(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			different := slices.Compact(slices.Sorted(slices.Values(ids)))
			if g.Nodes != len(different) || g.IDs != nil && !slices.Equal(g.IDs, different) {
				t.Fatalf("%d nodes, expected the %d ids in order", g.Nodes, len(different))
			}
			for i := range g.Src {
				if u, v := different[g.Src[i]], different[g.Dst[i]]; u != ids[2*i] || v != ids[2*i+1] {
					t.Fatalf("edge %d: %d → %d, expected %d → %d", i, u, v, ids[2*i], ids[2*i+1])
				}
			}
		})
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", "x.txt:1: edge list: found no edge"},
		{"comments alone", "# 1 2\n", "x.txt:1: edge list: found no edge"},
		{"header alone", "a b\n", "edge list: found no edge"},
		{"a name behind edges", "0 1\na b\n", "x.txt:2: node id: found \"a\""},
		{"text", "to be or not\nto be\n", "x.txt:2: node id: found \"to\""},
		{"one field", "0 1\n2\n", "x.txt:2: second node id: found the end of the line"},
		{"negative", "0 1\n\n-2 3\n", "x.txt:3: node id: found \"-2\", expected a whole number from 0 on"},
		{"fraction", "0 1.0\n", "x.txt:1: second node id: found \"1.0\""},
		{"beyond int64", "0 9223372036854775808\n", "second node id"},
		{"empty field", "0,,1\n", "x.txt:1: second node id: found \"\""},
		{"semicolons", "0;1\n", "x.txt:1: node id"},
		{"binary", "\x00\x01\x02\n", "x.txt:1: node id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readString(c.content, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, expected %s", err, c.want)
			}
			hostile.MustRefuse(t, "x.txt", []byte(c.content), Check)
		})
	}
	for _, content := range []string{"0 1\n", "0 1 x\n", "0 1 nan\n", "0 1 1e39\n"} {
		_, err := readString(content, Options{Weights: 3})
		var corrupt *format.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Line != 1 {
			t.Errorf("%q with weights: error %v", content, err)
		}
	}
	for _, weights := range []int{-1, 1, 2} {
		_, err := readString("0 1\n", Options{Weights: weights})
		var corrupt *format.CorruptError
		if err == nil || errors.As(err, &corrupt) {
			t.Errorf("weights in column %d: error %v, expected one of usage", weights, err)
		}
	}
}

func TestDamagedFilesAreRefusedOrRead(t *testing.T) {
	content := []byte("# comment\r\n1,20\r\n20\t300 7\n 300 1\n")
	if noticed, _ := hostile.Cuts(t, "x.txt", content, Check); noticed < 14 { // the comment alone, and a line of one field
		t.Errorf("%d cuts noticed", noticed)
	}
	if noticed, tried := hostile.BitFlips(t, "x.txt", content, Check); noticed < tried/3 {
		t.Errorf("%d of %d bit flips noticed", noticed, tried)
	}
	hostile.Truncations(t, "x.txt.gz", hostile.Gzip(t, content), Check)
	// Lines without an edge must not claim the memory of one.
	hostile.MustRefuse(t, "x.txt", bytes.Repeat([]byte{'\n'}, 1<<20), Check)
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var sparse, mixed bytes.Buffer
	for range 20_000 {
		fmt.Fprintln(&sparse, rng.Int64N(1<<30), rng.Int64N(1<<30), 1)
		fmt.Fprintln(&mixed, rng.Int64N(9), rng.Int64()>>(rng.IntN(2)*55), 1)
	}
	for name, content := range map[string][]byte{
		"short.txt":     bytes.Repeat([]byte("1 2\n"), 50_000),
		"short.txt.gz":  hostile.Gzip(t, bytes.Repeat([]byte("1 2\n"), 50_000)),
		"weights.txt":   bytes.Repeat([]byte("1 2 3\n"), 50_000),
		"sparse.txt":    sparse.Bytes(),
		"sparse.txt.gz": hostile.Gzip(t, sparse.Bytes()),
		"mixed.txt":     mixed.Bytes(),
	} {
		weights := 0
		if !strings.HasPrefix(name, "short") {
			weights = 3
		}
		hostile.Bounded(t, hostile.Write(t, name, content), ImportBytes, func(path string) error {
			_, err := Read(path, Options{Weights: weights})
			return err
		})
	}
}

func TestIs(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    bool
	}{
		"a.txt": {"1 2\n", true}, "b.csv": {"id_1,id_2\n1,2\n", true}, "c.tsv": {"# c\n1\t2\t0.5\t123\n", true},
		"d.edges.gz": {string(hostile.Gzip(t, []byte("1 2\n"))), true},
		"e.txt":      {"1 2 3 4 5\n", false}, "f.txt": {"1\n2\n", false}, "g.txt": {"one two\nthree four\n", false}, "h.txt": {"", false},
		"i.graph": {"1 2\n", false}, "j.mtx": {"1 2\n", false}, "k.txt": {"%%MatrixMarket matrix\n1 2\n", false}, "l.txt": {"0.5 2\n", false},
		"m.gz": {"1 2\n", false},
	} {
		if got := Is(hostile.Write(t, name, []byte(c.content))); got != c.want {
			t.Errorf("%s: %v, expected %v", name, got, c.want)
		}
	}
}

func FuzzEdgeList(f *testing.F) {
	f.Add([]byte("# comment\r\n1,20\r\n20\t300 7\n 300 1\n"), 0)
	f.Add([]byte("a,b,w\n1,9223372036854775807,1e3\n5,5,-1\n"), 3)
	f.Fuzz(func(t *testing.T, content []byte, weights int) {
		weights = 3 * (weights & 1)
		text, err := format.NewText(format.NewSource("x.txt", bytes.NewReader(content), int64(len(content))))
		if err == nil {
			_, err = read(text, int64(len(content))/4+1, Options{Weights: weights})
		}
		hostile.Judge(t, err, "x.txt")
	})
}
