package kcore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/npy"
	"github.com/seraph-ml/seraph/format/parquet"
	"github.com/seraph-ml/seraph/format/sgraph"
	"github.com/seraph-ml/seraph/format/table"
)

// forms writes one graph in all forms of input, pairs of ids from 1 on, and returns the paths of each.
func forms(t *testing.T, pairs [][2]int64, nodes int) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lines := func(pairs [][2]int64, separator, end string) []byte {
		var b bytes.Buffer
		for _, p := range pairs {
			fmt.Fprintf(&b, "%d%s%d%s", p[0], separator, p[1], end)
		}
		return b.Bytes()
	}
	save := func(name string, f func(w io.Writer) error) string {
		path := filepath.Join(dir, name)
		if err := format.WriteFile(path, f); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pack := func(w io.WriteCloser, buf *bytes.Buffer, content []byte) []byte {
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	plain := lines(pairs, " ", "\n")
	var gz, zst, u32, u64, metis, mtx bytes.Buffer
	adjacent := make([][]int64, nodes+1)
	t32, t64 := &npy.Array{DType: npy.DType{Kind: 'i', Size: 4}, Shape: []int{len(pairs), 2}}, &npy.Array{DType: npy.DType{Kind: 'u', Size: 8, Big: true}, Shape: []int{len(pairs), 2}}
	raw := &format.Graph{Name: "x", Nodes: nodes}
	for v := range nodes {
		raw.IDs = append(raw.IDs, int64(nodes-v)) // in no order
	}
	columns := []table.Column{{Name: "from"}, {Name: "to"}, {Name: "weight"}}
	fmt.Fprintf(&mtx, "%%%%MatrixMarket matrix coordinate pattern general\n%d %d %d\n", nodes, nodes, len(pairs))
	for _, p := range pairs {
		for i, id := range p {
			binary.Write(&u32, binary.LittleEndian, uint32(id))
			binary.Write(&u64, binary.LittleEndian, id)
			t32.Data = binary.LittleEndian.AppendUint32(t32.Data, uint32(id))
			t64.Data = binary.BigEndian.AppendUint64(t64.Data, uint64(id))
			columns[i].Ints = append(columns[i].Ints, id)
		}
		columns[2].Ints = append(columns[2].Ints, 5)
		adjacent[p[0]] = append(adjacent[p[0]], p[1])
		if p[0] != p[1] {
			adjacent[p[1]] = append(adjacent[p[1]], p[0])
		}
		raw.Src, raw.Dst = append(raw.Src, int32(nodes)-int32(p[0])), append(raw.Dst, int32(nodes)-int32(p[1]))
		fmt.Fprintln(&mtx, p[0], p[1])
	}
	fmt.Fprintln(&metis, nodes, len(pairs))
	for _, list := range adjacent[1:] {
		fmt.Fprintln(&metis, strings.Trim(fmt.Sprint(list), "[]"))
	}
	z, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{
		"spaces":          {write("spaces", plain)},
		"tabs":            {write("tabs.tsv", lines(pairs, "\t", "\n"))},
		"commas":          {write("commas.csv", lines(pairs, ",", "\n"))},
		"CRLF":            {write("crlf.txt", append([]byte("# a comment\r\n% and another\r\n"), lines(pairs, " , ", "\r\n")...))},
		"SNAP":            {write("snap.txt", append([]byte("# Directed graph: x\n# FromNodeId\tToNodeId\n"), lines(pairs, "\t", "\n")...))},
		"header":          {write("header.csv", append([]byte("from,to\n"), lines(pairs, ",", "\n")...))},
		"columns":         {write("columns.txt", lines(pairs, " ", " 0.5 1234\n"))},
		"gzip":            {write("x.txt.gz", pack(gzip.NewWriter(&gz), &gz, plain))},
		"zstd":            {write("x.txt.zst", pack(z, &zst, plain))},
		"pipe":            {"-"},
		"METIS":           {write("x.graph", metis.Bytes())},
		"MatrixMarket":    {write("x.mtx", mtx.Bytes())},
		"npy":             {filepath.Join(dir, "x.npy")},
		"npy, big-endian": {filepath.Join(dir, "big.npy")},
		"Parquet": {save("x.parquet", func(w io.Writer) error {
			out := parquet.NewWriter(w)
			if err := out.Write(&table.Table{Rows: len(pairs), Columns: columns}); err != nil {
				return err
			}
			return out.Close()
		})},
		"uint32": {write("x.u32", u32.Bytes())},
		"uint64": {write("x.u64", u64.Bytes())},
		"sgraph": {filepath.Join(dir, "x.sgraph")},
	}
	if err := npy.Write(all["npy"][0], t32); err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(all["npy, big-endian"][0], t64); err != nil {
		t.Fatal(err)
	}
	if err := sgraph.Write(all["sgraph"][0], raw); err != nil {
		t.Fatal(err)
	}
	half := len(pairs) / 2
	all["several"] = []string{write("first.u32", u32.Bytes()[:8*half]), write("second.csv", lines(pairs[half:], ",", "\n"))}
	return all
}

// One graph, with loops and duplicates in both directions, in every form of input: the same hash and counts in memory, and on disk for lists.
func TestAllFormsOfInputAreOneGraph(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 2))
	const n = 300
	var pairs [][2]int64
	var ids []int64
	for v := range int64(n) { // everybody occurs
		pairs = append(pairs, [2]int64{v + 1, 1 + rng.Int64N(n)})
	}
	for range 5 * n {
		u, v := 1+rng.Int64N(n), 1+rng.Int64N(1+rng.Int64N(n/3))
		pairs = append(pairs, [2]int64{u, v})
		if rng.IntN(3) == 0 {
			pairs = append(pairs, [2]int64{v, u})
		}
	}
	for _, p := range pairs {
		ids = append(ids, p[0], p[1])
	}
	oracle := pairGraph(t, ids, 0)
	want := Hash(&oracle.Names, reference(oracle))
	pool := kernel.NewPool(2)
	defer pool.Close()
	all := forms(t, pairs, n)
	text, err := os.ReadFile(all["spaces"][0])
	if err != nil {
		t.Fatal(err)
	}
	for form, paths := range all {
		t.Run(form, func(t *testing.T) {
			o := Options{Stdin: bytes.NewReader(text)}
			size, err := Survey(paths, o)
			if err != nil || size.Pairs < int64(len(pairs)) && form != "pipe" {
				t.Errorf("%v: %+v of %d pairs", err, size, len(pairs))
			}
			g, err := Read(paths, o, pool)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			counts := g.Counts
			counts.Longer = 0
			if got := Hash(&g.Names, peeled(t, g)); got != want || counts != oracle.Counts {
				t.Errorf("hash %.8s, %+v; expected %.8s, %+v", got, counts, want, oracle.Counts)
			}
			switch form {
			case "METIS", "MatrixMarket", "sgraph":
				return // these are read in memory alone
			}
			o.Stdin = bytes.NewReader(text)
			s := imported(t, paths, o)
			s.decompose(t, Divide{Part: 1 << 17}, 2)
			if err := s.Name(); err != nil {
				t.Fatal(err)
			}
			if got := Hash(&s.Names, s.Core); got != want || s.Edges != oracle.Edges || s.Loops != oracle.Loops || s.Duplicates != oracle.Duplicates {
				t.Errorf("on disk: hash %.8s, %+v; expected %.8s, %+v", got, s.Counts, want, oracle.Counts)
			}
		})
	}
}

// Ids that are texts in Parquet, and wrong lists of pairs.
func TestPairsThatAreNoText(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, columns ...table.Column) string {
		path := filepath.Join(dir, name)
		err := format.WriteFile(path, func(w io.Writer) error {
			out := parquet.NewWriter(w)
			if err := out.Write(&table.Table{Rows: max(len(columns[0].Ints), len(columns[0].Codes)), Columns: columns}); err != nil {
				return err
			}
			return out.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	names := save("names.parquet",
		table.Column{Name: "a", Kind: table.Text, Codes: []int32{0, 1, 0}, Values: []string{"ann", "bob"}},
		table.Column{Name: "b", Kind: table.Text, Codes: []int32{0, 0, 1}, Values: []string{"bob", "cem"}})
	kind, _, err := KindOfIDs([]string{names}, AutoIDs, nil)
	if err != nil || kind != Texts {
		t.Fatalf("%s, %v", kind, err)
	}
	pool := kernel.NewPool(1)
	defer pool.Close()
	g, err := Read([]string{names}, Options{IDs: Texts}, pool)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var got bytes.Buffer
	if err := WriteTSV(&got, &g.Names, peeled(t, g)); err != nil || got.String() != "ann\t1\nbob\t1\ncem\t1\n" || g.Loops != 1 {
		t.Errorf("%q, %+v, %v", got.String(), g.Counts, err)
	}
	for name, want := range map[string]string{
		"missing.parquet": "missing ids", "negative.parquet": "row 1: found ids 3 and -4", "one.parquet": "columns: found a (int)", "names.parquet": "columns: found a (text), b (text)",
		"odd.u32": "expected a multiple of 8", "far.u64": "id: found 9223372036854775808", "wide.npy": "shape 1 × 3", "float.npy": "edge list",
	} {
		path := filepath.Join(dir, name)
		switch name {
		case "missing.parquet":
			save(name, table.Column{Name: "a", Ints: []int64{1, 0}, Null: []bool{false, true}, Missing: 1}, table.Column{Name: "b", Ints: []int64{1, 2}})
		case "negative.parquet":
			save(name, table.Column{Name: "a", Ints: []int64{1, 3}}, table.Column{Name: "b", Ints: []int64{1, -4}})
		case "one.parquet":
			save(name, table.Column{Name: "a", Ints: []int64{1, 3}})
		case "odd.u32":
			err = os.WriteFile(path, make([]byte, 12), 0o666)
		case "far.u64":
			err = os.WriteFile(path, binary.LittleEndian.AppendUint64(make([]byte, 8), 1<<63), 0o666)
		case "wide.npy":
			err = npy.Write(path, &npy.Array{DType: npy.DType{Kind: 'i', Size: 4}, Shape: []int{1, 3}, Data: make([]byte, 12)})
		case "float.npy":
			err = npy.Write(path, &npy.Array{DType: npy.DType{Kind: 'f', Size: 4}, Shape: []int{1, 2}, Data: make([]byte, 8)})
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read([]string{path}, Options{}, pool); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %s", name, err, want)
		}
	}
}
