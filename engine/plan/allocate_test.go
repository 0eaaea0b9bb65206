package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

func TestAllocateGraphs(t *testing.T) {
	golden(t, "testdata/allocate/*", func(t *testing.T, input string) string {
		g := readGraph(t, input)
		a, err := g.Allocate(64)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		checkAllocation(t, g, a, 64)
		var s strings.Builder
		for i := range g.Tensors {
			fmt.Fprintf(&s, "%s at %d\n", g.Tensors[i].Name, a.Offsets[i])
		}
		for i, offset := range a.Scratch {
			if offset >= 0 {
				fmt.Fprintf(&s, "scratch of %s at %d\n", g.Ops[i].Name, offset)
			}
		}
		fmt.Fprintf(&s, "arena %d, persistent %d, lower bound %d\n", a.Arena, a.Persistent, a.LowerBound)
		return s.String() + a.Report()
	})
}

// golden runs each file's part above the line "----" through f, which must give the part below.
func golden(t *testing.T, pattern string, f func(t *testing.T, input string) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(text), "----\n")
			got := f(t, input)
			if got == want {
				return
			}
			if *update {
				if err := os.WriteFile(path, []byte(input+"----\n"+got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		})
	}
}

var kinds = map[string]Kind{"transient": Transient, "skeletal": Skeletal, "input": Input, "constant": Constant,
	"parameter": Parameter, "gradient": Gradient, "optimizer": Optimizer, "state": State}

// readGraph reads lines "tensor NAME KIND BYTES [alias NAME] [keep]" and "op NAME [in NAME...] [out NAME...] [scratch BYTES]".
func readGraph(t *testing.T, text string) *Graph {
	t.Helper()
	g, index := &Graph{}, map[string]int{}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	lines := func(first string, each func(words []string)) {
		for line := range strings.Lines(text) {
			if words := strings.Fields(line); len(words) > 1 && words[0] == first {
				each(words[1:])
			}
		}
	}
	lines("tensor", func(w []string) {
		kind, ok := kinds[w[1]]
		if !ok {
			t.Fatalf("kind %q", w[1])
		}
		index[w[0]] = len(g.Tensors)
		g.Tensors = append(g.Tensors, Tensor{Name: w[0], Kind: kind, Bytes: number(w[2]), Producer: -1, Alias: -1})
	})
	lines("tensor", func(w []string) {
		x := &g.Tensors[index[w[0]]]
		for i, word := range w[3:] {
			if word == "alias" {
				x.Alias = index[w[3+i+1]]
			}
			x.Keep = x.Keep || word == "keep"
		}
	})
	lines("op", func(w []string) {
		op, what := Op{Name: w[0]}, ""
		for _, word := range w[1:] {
			switch {
			case word == "in" || word == "out" || word == "scratch":
				what = word
			case what == "scratch":
				op.Scratch = number(word)
			case what == "in":
				op.In = append(op.In, index[word])
				x := &g.Tensors[index[word]]
				x.Uses = append(x.Uses, len(g.Ops))
			case what == "out":
				op.Out = append(op.Out, index[word])
				g.Tensors[index[word]].Producer = len(g.Ops)
			}
		}
		g.Ops = append(g.Ops, op)
	})
	return g
}

// checkAllocation plays the program: at every operation, what is needed now or later must not share a byte with anything
// that has other storage.
func checkAllocation(t interface{ Fatalf(string, ...any) }, g *Graph, a Allocation, align int64) {
	type span struct {
		name        string
		from, to    int64
		first, last int
		storage     int
	}
	root := func(i int) int {
		for g.Tensors[i].Alias >= 0 {
			i = g.Tensors[i].Alias
		}
		return i
	}
	var spans []span
	for i, x := range g.Tensors {
		first, last := max(x.Producer, 0), max(x.Producer, 0)
		for _, u := range x.Uses {
			last = max(last, u)
		}
		if x.Keep {
			last = max(last, len(g.Ops)-1)
		}
		if g.Tensors[root(i)].Kind.Persistent() {
			first, last = 0, len(g.Ops)
			if a.Offsets[i]+x.Bytes > a.Persistent {
				t.Fatalf("%s is persistent, but lies at %d of %d", x.Name, a.Offsets[i], a.Persistent)
			}
		} else if a.Offsets[i] < a.Persistent {
			t.Fatalf("%s is not persistent, but lies at %d of %d", x.Name, a.Offsets[i], a.Persistent)
		}
		if a.Offsets[i] != a.Offsets[root(i)] {
			t.Fatalf("%s lies at %d, what it aliases at %d", x.Name, a.Offsets[i], a.Offsets[root(i)])
		}
		spans = append(spans, span{x.Name, a.Offsets[i], a.Offsets[i] + x.Bytes, first, last, root(i)})
	}
	for i, op := range g.Ops {
		if (op.Scratch > 0) != (a.Scratch[i] >= 0) {
			t.Fatalf("%d bytes of scratch of %s lie at %d", op.Scratch, op.Name, a.Scratch[i])
		}
		if op.Scratch > 0 {
			spans = append(spans, span{op.Name, a.Scratch[i], a.Scratch[i] + op.Scratch, i, i, -1 - i})
		}
	}
	for i, x := range spans {
		if x.from%align != 0 || x.from < 0 || x.to > a.Arena {
			t.Fatalf("%s lies from %d to %d of %d, align %d", x.name, x.from, x.to, a.Arena, align)
		}
		for _, y := range spans[:i] {
			if x.storage != y.storage && x.first <= y.last && y.first <= x.last && x.from < y.to && y.from < x.to {
				t.Fatalf("%s and %s are live at once and share bytes", x.name, y.name)
			}
		}
	}
	if a.Arena < a.LowerBound {
		t.Fatalf("arena %d below its lower bound %d", a.Arena, a.LowerBound)
	}
}

func TestAllocateAnyGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		a, err := g.Allocate(64)
		if err != nil {
			t.Fatalf("%v", err)
		}
		checkAllocation(t, g, a, 64)
		var live int64
		for _, b := range a.Live {
			live += b.Bytes
		}
		if live != a.LowerBound-a.Persistent {
			t.Fatalf("%d bytes are live at the peak, the lower bound is %d above the persistent ones", live, a.LowerBound-a.Persistent)
		}
	})
}

// drawGraph makes a sound graph: operations that read earlier results, inputs and persistent tensors, some in place.
func drawGraph(t *rapid.T) *Graph {
	g := &Graph{}
	bytes := rapid.Int64Range(0, 1000)
	for range rapid.IntRange(1, 5).Draw(t, "given") {
		kind := rapid.SampledFrom([]Kind{Input, Constant, Parameter, Optimizer, State}).Draw(t, "kind")
		g.Tensors = append(g.Tensors, Tensor{Kind: kind, Bytes: bytes.Draw(t, "bytes"), Producer: -1, Alias: -1})
	}
	for i := range rapid.IntRange(1, 25).Draw(t, "operations") {
		op := Op{Scratch: rapid.SampledFrom([]int64{0, 0, 100}).Draw(t, "scratch")}
		for range rapid.IntRange(0, 3).Draw(t, "reads") {
			x := rapid.IntRange(0, len(g.Tensors)-1).Draw(t, "read")
			op.In = append(op.In, x)
			g.Tensors[x].Uses = append(g.Tensors[x].Uses, i)
		}
		for range rapid.IntRange(0, 2).Draw(t, "results") {
			y := Tensor{Kind: rapid.SampledFrom([]Kind{Transient, Skeletal, Gradient}).Draw(t, "kind"), Producer: i, Alias: -1,
				Bytes: bytes.Draw(t, "bytes"), Keep: rapid.IntRange(0, 9).Draw(t, "keep") == 0}
			if len(op.In) > 0 && rapid.Bool().Draw(t, "in place") {
				y.Alias, y.Bytes = op.In[0], g.Tensors[op.In[0]].Bytes
			}
			op.Out = append(op.Out, len(g.Tensors))
			g.Tensors = append(g.Tensors, y)
		}
		g.Ops = append(g.Ops, op)
	}
	return g
}

func TestAllocateRefusesWhatContradictsItself(t *testing.T) {
	sound := func() *Graph {
		return &Graph{
			Ops: []Op{{Name: "a", In: []int{0}, Out: []int{1}}, {Name: "b", In: []int{1}, Out: []int{2}}},
			Tensors: []Tensor{
				{Name: "x", Kind: Input, Bytes: 8, Producer: -1, Uses: []int{0}, Alias: -1},
				{Name: "y", Bytes: 8, Producer: 0, Uses: []int{1}, Alias: -1},
				{Name: "z", Bytes: 8, Producer: 1, Alias: -1, Keep: true},
			},
		}
	}
	if _, err := sound().Allocate(64); err != nil {
		t.Fatal(err)
	}
	for word, spoil := range map[string]func(g *Graph){
		"unknown kind":       func(g *Graph) { g.Tensors[0].Kind = 200 },
		"-1 bytes":           func(g *Graph) { g.Tensors[0].Bytes = -1 },
		"bytes, after":       func(g *Graph) { g.Tensors[0].Bytes, g.Tensors[1].Bytes = 1<<60, 1<<61 },
		"operation 7 of 2":   func(g *Graph) { g.Tensors[1].Producer = 7 },
		"is an input, yet":   func(g *Graph) { g.Tensors[0].Producer = 0 },
		"no operation makes": func(g *Graph) { g.Tensors[1].Producer = -1 },
		"ascending":          func(g *Graph) { g.Tensors[0].Uses = []int{1, 0} },
		"used by operations": func(g *Graph) { g.Tensors[0].Uses = []int{0, 2} },
		"before operation":   func(g *Graph) { g.Tensors[1].Uses = []int{0}; g.Tensors[1].Producer = 1 },
		"aliases no tensor":  func(g *Graph) { g.Tensors[2].Alias = 3 },
		"itself":             func(g *Graph) { g.Tensors[2].Alias, g.Tensors[1].Alias = 1, 2 },
		"share the storage":  func(g *Graph) { g.Tensors[2].Alias, g.Tensors[2].Bytes = 1, 9 },
		"is persistent, yet": func(g *Graph) { g.Tensors[2].Alias, g.Tensors[2].Kind = 1, State },
		"of scratch":         func(g *Graph) { g.Ops[0].Scratch = -1 },
		"reads tensor -1":    func(g *Graph) { g.Ops[0].In = []int{-1} },
		"do not name it":     func(g *Graph) { g.Ops[1].In = []int{0} },
		"makes tensor 3":     func(g *Graph) { g.Ops[0].Out = []int{3} },
		"as its producer":    func(g *Graph) { g.Ops[0].Out = []int{2} },
	} {
		g := sound()
		spoil(g)
		if _, err := g.Allocate(64); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v", word, err)
		}
	}
}

func TestAllocateNothing(t *testing.T) {
	a, err := (&Graph{}).Allocate(64)
	if err != nil || a.Arena != 0 || !slices.Equal(a.Offsets, nil) {
		t.Errorf("%+v, %v", a, err)
	}
	if want := "arena 0B: 0B persistent, 0B shared; lower bound 0B, 0.0 % above it\n"; a.Report() != want {
		t.Errorf("%q", a.Report())
	}
	inputs := Graph{Tensors: []Tensor{{Kind: Input, Bytes: 100, Producer: -1, Alias: -1, Keep: true}}}
	if a, err := inputs.Allocate(64); err != nil || a.Arena != 128 || a.LowerBound != 128 {
		t.Errorf("%+v, %v", a, err)
	}
}
