package sgap

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format/ogb"
	"github.com/seraph-ml/seraph/graph"
	"github.com/seraph-ml/seraph/graph/edges"
	"github.com/seraph-ml/seraph/run"
)

// ModelNamed is the model of a name.
func ModelNamed(t *testing.T, name string) run.Model {
	t.Helper()
	for _, m := range Models() {
		if m.Spec().Name == name {
			return m
		}
	}
	t.Fatalf("there is no model %s", name)
	return nil
}

// recordOf reads what the search of a run directory has written.
func recordOf(t *testing.T, out string) (r record) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, tuneName))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Blocks writes a small block-model graph and returns its folder.
func Blocks(t *testing.T) string {
	t.Helper()
	m := graph.DefaultBlockModel
	m.Nodes, m.Classes, m.Features, m.Seed = 700, 4, 40, 5
	dir := filepath.Join(t.TempDir(), "blocks")
	w, err := ogb.NewWriter(dir, m.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Write(w, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Stored writes a block-model graph whose features are larger than all buffers, as a Seraph graph, and returns its path.
func Stored(t *testing.T) string {
	t.Helper()
	return StoredBlocks(t, 9000, 160)
}

// StoredBlocks writes a block-model graph as a Seraph graph, and returns its path.
func StoredBlocks(t *testing.T, nodes, features int) string {
	t.Helper()
	m := graph.DefaultBlockModel
	m.Nodes, m.Classes, m.Features, m.Train, m.Val, m.Seed = nodes, 4, features, 0.02, 0.03, 5
	dir := t.TempDir()
	spill, err := memory.OpenSpill(memory.Disk{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	path := filepath.Join(dir, "blocks.sgraph")
	sink, err := graph.NewStoreSink(t.Context(), path, m.Nodes, m.Features, edges.Options{Memory: edges.Least, Spill: spill, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if err := m.Write(sink, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// Texts writes a small graph whose features are as wide and as sparse as those of texts, and returns its folder.
func Texts(t *testing.T) string {
	t.Helper()
	const nodes, classes, features, words = 240, 3, 3000, 12
	dir := filepath.Join(t.TempDir(), "texts")
	w, err := ogb.NewWriter(dir, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(8, 9))
	src, dst, labels, x := make([]int32, 4*nodes), make([]int32, 4*nodes), make([]int32, nodes), make([]float32, nodes*features)
	for u := range labels {
		labels[u] = int32(u % classes)
		for range words { // half of them of the class
			x[u*features+r.IntN(features)] = 1
			x[u*features+int(labels[u])*20+r.IntN(20)] = 1
		}
	}
	for i := range src {
		src[i] = int32(i % nodes)
		dst[i] = (src[i] + int32(1+r.IntN(nodes-1))) % nodes
		if labels[src[i]] != labels[dst[i]] && r.IntN(3) > 0 {
			dst[i] = (src[i] + classes) % nodes
		}
	}
	all := make([]int32, nodes)
	for i := range all {
		all[i] = int32(i)
	}
	err = errors.Join(
		w.Edges(func(emit func(src, dst []int32) error) error { return emit(src, dst) }),
		w.Features(features, func(emit func([]float32) error) error { return emit(x) }),
		w.Labels(labels), w.Split("random", all[:60], all[60:160], all[160:]), w.Finish(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Gaps writes a small graph in which every fifth node has no label, even one that is meant to train, no node of class 2 trains, and
// class 3 has no nodes at all but one that tests; and returns its folder.
func Gaps(t *testing.T) string {
	t.Helper()
	const nodes = 240
	dir := filepath.Join(t.TempDir(), "gaps")
	w, err := ogb.NewWriter(dir, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(8, 9))
	src, dst, labels, x := make([]int32, 4*nodes), make([]int32, 4*nodes), make([]int32, nodes), make([]float32, nodes*6)
	var lists [3][]int32
	for u := range labels {
		labels[u] = int32(u % 3)
		for c := range 6 {
			x[u*6+c] = float32(r.NormFloat64())
		}
		x[u*6+u%3] += 2
		part := 2
		if u < 120 && u%3 < 2 {
			part = u / 60
		}
		lists[part] = append(lists[part], int32(u))
		if u%5 == 0 {
			labels[u] = -1
		}
	}
	labels[nodes-1] = 3
	for i := range src {
		src[i] = int32(i % nodes)
		dst[i] = (src[i] + int32(3*(1+r.IntN(70)))) % nodes
	}
	err = errors.Join(
		w.Edges(func(emit func(src, dst []int32) error) error { return emit(src, dst) }),
		w.Features(6, func(emit func([]float32) error) error { return emit(x) }),
		w.Labels(labels), w.Split("random", lists[0], lists[1], lists[2]), w.Finish(),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Guesses writes predictions of a graph and returns their path.
func Guesses(t *testing.T, data string) string {
	t.Helper()
	path, err := demoGuesses(data, t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// OneOfEach returns the first preset of each message aggregator, mlp first: what holds for it holds for those that differ from
// it in their settings.
func OneOfEach() []run.Model {
	type kind struct {
		messages Messages
		hops     bool
		network  string
	}
	seen := map[kind]bool{}
	var list []run.Model
	for i := range presets {
		p := &presets[i]
		k := kind{messages: p.messages, hops: p.propagates()}
		if p.messages == Passing {
			k.network = p.name
		}
		if !seen[k] {
			seen[k] = true
			list = append(list, Model{p})
		}
	}
	for _, m := range Models() {
		if name := m.Spec().Name; name == "pasca-v3" || name == "ndls" { // propagate predictions
			list = append(list, m)
		}
	}
	if testing.Short() { // the race detector makes ten seconds of one
		var few []run.Model
		for i := 0; i < len(list); i += 3 {
			few = append(few, list[i])
		}
		return few
	}
	return list
}

// Library writes a small heterogeneous graph in the layout of ogbn-mag and returns its folder: papers of three classes that have features,
// authors who write mostly papers of a class and know each other, and venues.
func Library(t testing.TB) string {
	t.Helper()
	const papers, authors, venues, classes, features = 120, 50, 6, 3, 10
	r := rand.New(rand.NewPCG(9, 10))
	like := func(u, n int) int { // one of n of the same class as u, mostly
		if r.IntN(6) == 0 {
			return r.IntN(n)
		}
		return (r.IntN(n)/classes*classes + u%classes) % n
	}
	var lines [8]strings.Builder
	counts := map[string]int{}
	add := func(i int, values ...any) { fmt.Fprintln(&lines[i], values...) }
	for u := range papers {
		add(0, u%classes)
		for j := range features {
			x := r.NormFloat64()
			if j == u%classes {
				x++
			}
			fmt.Fprintf(&lines[1], "%.3f ", x)
		}
		fmt.Fprintln(&lines[1])
		add(2, u, like(u, papers))
		add(3, like(u, authors), u)
		add(3, like(u, authors), u)
		add(4, u, like(u, venues))
		add(5+u/4%3, u) // split
	}
	counts["paper___cites___paper"], counts["author___writes___paper"], counts["paper___published_in___venue"] = papers, 2*papers, papers
	files := map[string]string{
		"raw/num-node-dict": fmt.Sprintf("author,paper,venue\n%d,%d,%d\n", authors, papers, venues), "raw/triplet-type-list": "",
		"raw/node-label/paper/node-label": lines[0].String(), "raw/node-feat/paper/node-feat": lines[1].String(),
		"raw/relations/paper___cites___paper/edge": lines[2].String(), "raw/relations/author___writes___paper/edge": lines[3].String(),
		"raw/relations/paper___published_in___venue/edge": lines[4].String(), "raw/relations/author___knows___author/edge": "0,1\n",
		"split/time/paper/train": lines[5].String(), "split/time/paper/valid": lines[6].String(), "split/time/paper/test": lines[7].String(),
	}
	counts["author___knows___author"] = 1
	for name, n := range counts {
		files["raw/triplet-type-list"] += strings.ReplaceAll(name, "___", ",") + "\n"
		files["raw/relations/"+name+"/num-edge-list"] = fmt.Sprintln(n)
	}
	dir := filepath.Join(t.TempDir(), "library")
	for name, content := range files {
		path := filepath.Join(dir, name+".csv")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
