package metis

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/internal/hostile"
)

// The example of the METIS 5.1 manual (section 4.1.1): one graph, without weights, with weights of edges, of edges and
// nodes, and with three weights a node.
const (
	plain = "7 11\n5 3 2\n1 3 4\n5 4 2 1\n2 3 6 7\n1 3 6\n5 4 7\n6 4"

	edgeWeights = "7 11 001\n5 1 3 2 2 1\n1 1 3 2 4 1\n5 3 4 2 2 2 1 2\n2 1 3 2 6 2 7 5\n1 1 3 3 6 2\n5 2 4 2 7 6\n6 6 4 5"

	bothWeights = "7 11 011\n4 5 1 3 2 2 1\n2 1 1 3 2 4 1\n5 5 3 4 2 2 2 1 2\n3 2 1 3 2 6 2 7 5\n1 1 1 3 3 6 2\n6 5 2 4 2 7 6\n2 6 6 4 5"

	threeWeights = "7 11 010 3\n1 2 0 5 3 2\n0 2 2 1 3 4\n4 1 1 5 4 2 1\n2 2 3 2 3 6 7\n1 1 1 1 3 6\n2 2 1 5 4 7\n1 2 1 6 4"
)

// example is the graph of the manual as it must come out.
func example() *format.Graph {
	return &format.Graph{
		Name: "x", Format: "metis", Nodes: 7,
		Src: []int32{0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6},
		Dst: []int32{4, 2, 1, 0, 2, 3, 4, 3, 1, 0, 1, 2, 5, 6, 0, 2, 5, 4, 3, 6, 5, 3},
	}
}

var exampleWeights = []float32{1, 2, 1, 1, 2, 1, 3, 2, 2, 2, 1, 2, 2, 5, 1, 3, 2, 2, 2, 6, 6, 5}

func readString(content string, opts Options) (*format.Graph, error) {
	t, err := format.NewText(format.NewSource("x.graph", strings.NewReader(content), int64(len(content))))
	if err != nil {
		return nil, err
	}
	return read(t, opts)
}

func TestTheManualsExamplesAreOneGraph(t *testing.T) {
	const unused = "the weights of the 22 edge entries are ignored (--weights keeps them)"
	for _, c := range []struct {
		name, content string
		weights       bool
		notes         []string
	}{
		{"plain", plain, false, nil},
		{"edge weights ignored", edgeWeights, false, []string{unused}},
		{"edge weights", edgeWeights, true, nil},
		{"weights of both", bothWeights, true, []string{"sizes and weights of nodes, 1 a node, are ignored"}},
		{"weights of both, ignored", bothWeights, false, []string{"sizes and weights of nodes, 1 a node, are ignored", unused}},
		{"three weights a node", threeWeights, false, []string{"sizes and weights of nodes, 3 a node, are ignored"}},
		{"sizes", strings.ReplaceAll(strings.Replace(plain, "7 11", "7 11 100", 1), "\n", "\n9 "), false, []string{"sizes and weights of nodes, 1 a node, are ignored"}},
		{"comments, CRLF and blanks", "% 1\r\n" + strings.ReplaceAll(plain, "\n", " \r\n%2\r\n ") + "\r\n\r\n \r\n", false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readString(c.content, Options{Weights: c.weights})
			if err != nil {
				t.Fatal(err)
			}
			want := example()
			want.Notes = c.notes
			if c.weights {
				want.Weights = exampleWeights
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBlankLinesAreNodesWithoutEdges(t *testing.T) {
	got, err := readString("4 1\n\n4\n\n2\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&format.Graph{Name: "x", Format: "metis", Nodes: 4, Src: []int32{1, 3}, Dst: []int32{3, 1}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoopsAreListedOnceOrTwice(t *testing.T) {
	for _, content := range []string{"2 2\n1 2\n1\n", "2 2\n1 1 2\n1\n"} {
		if _, err := readString(content, Options{}); err != nil {
			t.Error(err)
		}
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", "x.graph:1: number of nodes: found the end of the line"},
		{"comments alone", "% 1\n% 2\n", "x.graph:2: number of nodes"},
		{"one number", "7\n", "x.graph:1: number of edges: found the end of the line"},
		{"no nodes", "0 0\n", "x.graph:1: number of nodes: found \"0\""},
		{"too many nodes", "2147483648 0\n", "x.graph:1: number of nodes"},
		{"nodes beyond the file", "2147483647 0\n", "counts that the file can hold"},
		{"edges beyond the file", "2 1099511627776\n2\n1\n", "counts that the file can hold"},
		{"edges beyond int64", "2 9223372036854775808\n2\n1\n", "x.graph:1: number of edges"},
		{"format 2", "2 1 2\n2\n1\n", "METIS format: found \"2\""},
		{"format of four digits", "2 1 0001\n2 1\n1 1\n", "METIS format"},
		{"ncon beyond reason", "2 1 10 99999999\n2\n1\n", "number of node weights"},
		{"five fields", "2 1 0 1 1\n2\n1\n", "more than four fields"},
		{"node 0", "2 1\n0\n1\n", "x.graph:2: neighbour: found \"0\", expected a whole number from 1 to 2"},
		{"node beyond", "2 1\n3\n1\n", "x.graph:2: neighbour: found \"3\""},
		{"negative node", "2 1\n-1\n1\n", "x.graph:2: neighbour"},
		{"a word", "2 1\n2\none\n", "x.graph:3: neighbour: found \"one\""},
		{"too few lines", "3 1\n2\n1\n", "found 2 and the end of the file, expected 3"},
		{"too many lines", "2 1\n2\n1\n\n1\n", "x.graph:5: node lines: found one more"},
		{"too few edges", "3 2\n2\n1\n\n", "edges: found 2 entries, expected 4"},
		{"too many edges", "3 1\n2\n1 3\n2\n", "x.graph:3: edges: found more than 2 entries"},
		{"weight missing", "2 1 1\n2\n1 1\n", "x.graph:2: edge weight: found the end of the line"},
		{"weight a word", "2 1 1\n2 x\n1 1\n", "x.graph:2: edge weight: found \"x\""},
		{"node weight missing", "2 1 10\n1 2\n\n", "x.graph:3: size or weight of a node: found the end of the line"},
		{"listed under one node", "4 2\n2\n1 3\n4\n\n", "edge between nodes 2 and 3: found it under one of them only"},
		{"listed twice under one node", "4 2\n2 2\n1\n4\n\n", "edge between nodes 1 and 2: found it under one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readString(c.content, Options{})
			hostile.Judge(t, err, "x.graph")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, expected %s", err, c.want)
			}
			hostile.MustRefuse(t, "x.graph", []byte(c.content), Check)
		})
	}
	if _, err := readString(plain, Options{Weights: true}); err == nil || !strings.Contains(err.Error(), "--weights") {
		t.Errorf("weights that are not there: %v", err)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	// No cut of these files is whole: the header counts the edges, and each is listed twice.
	for _, content := range []string{plain, edgeWeights, bothWeights, threeWeights} {
		hostile.Truncations(t, "x.graph", []byte(content), Check)
		noticed, tried := hostile.BitFlips(t, "x.graph", []byte(content), Check)
		t.Logf("%d of %d bit flips noticed", noticed, tried)
		if content == plain && noticed < tried*3/4 {
			t.Errorf("%d of %d bit flips noticed", noticed, tried)
		}
	}
	hostile.Truncations(t, "x.graph.gz", hostile.Gzip(t, []byte(plain)), Check)
	hostile.MustRefuse(t, "x.graph.gz", hostile.Gzip(t, []byte("2147483647 1099511627776\n2\n1\n")), Check)
}

func TestIs(t *testing.T) {
	for name, want := range map[string]struct {
		content string
		is      bool
	}{
		"a.graph": {plain, true}, "b.metis": {"%\n2 1\n", true}, "c.graph.gz": {string(hostile.Gzip(t, []byte(plain))), true},
		"d.txt": {plain, false}, "ind.x.graph": {"\x80\x02}q\x01.", false}, "e.graph": {"", false}, "f.graph.gz": {plain, false},
	} {
		if got := Is(hostile.Write(t, name, []byte(want.content))); got != want.is {
			t.Errorf("%s: %v", name, got)
		}
	}
	if Is(filepath.Join(t.TempDir(), "none.graph")) {
		t.Error("a file that is not there")
	}
}

func TestImportBytesBoundsWhatReadAllocates(t *testing.T) {
	var b strings.Builder
	b.WriteString("20001 20000\n")
	for leaf := range 20000 {
		fmt.Fprintf(&b, "%d ", leaf+2)
	}
	star := b.String() + strings.Repeat("\n1", 20000)
	for name, content := range map[string]string{
		"plain.graph":   plain,
		"weights.graph": edgeWeights,
		"star.graph":    star,
		"star.graph.gz": string(hostile.Gzip(t, []byte(star))), // compresses so well that the arrays have to grow
	} {
		hostile.Bounded(t, hostile.Write(t, name, []byte(content)), ImportBytes, func(path string) error {
			_, err := Read(path, Options{Weights: name == "weights.graph"})
			return err
		})
	}
}

func FuzzMetis(f *testing.F) {
	for _, content := range []string{plain, edgeWeights, bothWeights, threeWeights, "4 1\n\n4\n\n2\n", "2 2\n1 2\n1\n"} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, weights := range []bool{false, true} {
			text, err := format.NewText(format.NewSource("x.graph", bytes.NewReader(content), int64(len(content))))
			if err == nil {
				_, err = read(text, Options{Weights: weights})
			}
			hostile.Judge(t, err, "x.graph")
		}
	})
}
