package plan

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkPlacement fails when blocks that are live at once share a byte, or the figures are not what they say.
func checkPlacement(t interface{ Fatalf(string, ...any) }, blocks []Block, align int64, p Placement) {
	var peak int64
	for i, a := range blocks {
		if p.Offsets[i] < 0 || p.Offsets[i]%max(align, 1) != 0 {
			t.Fatalf("block %d lies at %d, align %d", i, p.Offsets[i], align)
		}
		if a.Bytes <= 0 || a.Last < a.First {
			continue
		}
		end := p.Offsets[i] + (a.Bytes+max(align, 1)-1)/max(align, 1)*max(align, 1)
		peak = max(peak, end)
		for j, b := range blocks[:i] {
			if b.Bytes > 0 && b.First <= b.Last && a.First <= b.Last && b.First <= a.Last && p.Offsets[i] < p.Offsets[j]+b.Bytes && p.Offsets[j] < p.Offsets[i]+a.Bytes {
				t.Fatalf("blocks %d %+v at %d and %d %+v at %d share bytes", i, a, p.Offsets[i], j, b, p.Offsets[j])
			}
		}
	}
	if p.Peak != peak || p.Peak < p.LowerBound {
		t.Fatalf("peak %d is given as %d, lower bound %d", peak, p.Peak, p.LowerBound)
	}
}

func TestNoTwoLiveBlocksOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		block := rapid.Custom(func(t *rapid.T) Block {
			return Block{
				Bytes: rapid.SampledFrom([]int64{0, 1, 3, 64, 65, 100, 128, 1000}).Draw(t, "bytes"),
				First: rapid.IntRange(0, 30).Draw(t, "first"),
				Last:  rapid.IntRange(-1, 30).Draw(t, "last"),
			}
		})
		blocks := rapid.SliceOfN(block, 0, 80).Draw(t, "blocks")
		align := rapid.SampledFrom([]int64{0, 1, 64}).Draw(t, "align")
		p := Pack(blocks, align)
		checkPlacement(t, blocks, align, p)
		if again := Pack(slices.Clone(blocks), align); !slices.Equal(again.Offsets, p.Offsets) {
			t.Fatalf("packed again, the offsets are %v, not %v", again.Offsets, p.Offsets)
		}
	})
}

// random makes blocks with mostly short lives; every fifth may live to the end.
func random(rng *rand.Rand, n int) []Block {
	blocks := make([]Block, n)
	for i := range blocks {
		first := rng.IntN(n)
		last := first + rng.IntN(max(2, n/4))
		if i%5 == 0 {
			last = first + rng.IntN(n)
		}
		blocks[i] = Block{Bytes: 1 + rng.Int64N(100), First: first, Last: min(last, n-1)}
	}
	return blocks
}

// The smallest peak over all orders of first fit is the smallest of all placements (MEMO §4.1 digest): an oracle for the
// exact search that shares nothing with it but first fit.
func TestExactSearchFindsWhatAllOrdersFind(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for trial := range 400 {
		n := 2 + trial%6
		blocks := make([]Block, n)
		for i := range blocks {
			first := rng.IntN(n)
			blocks[i] = Block{Bytes: 1 + rng.Int64N(5), First: first, Last: min(first+rng.IntN(3), n-1)}
		}
		p, err := PackExact(blocks, 1)
		if err != nil {
			t.Fatal(err)
		}
		checkPlacement(t, blocks, 1, p)
		want := int64(math.MaxInt64)
		permutations(live(blocks, 1), 0, func(order []piece) {
			peak, _ := firstFit(slices.Clone(order), math.MaxInt64)
			want = min(want, peak)
		})
		if p.Peak != want {
			t.Fatalf("%+v: exact search finds %d, trying all orders %d", blocks, p.Peak, want)
		}
	}
}

func permutations(p []piece, k int, visit func([]piece)) {
	if k == len(p) {
		visit(p)
		return
	}
	for i := k; i < len(p); i++ {
		p[k], p[i] = p[i], p[k]
		permutations(p, k+1, visit)
		p[k], p[i] = p[i], p[k]
	}
}

// How far first fit alone, and Pack, are from the optimum. The bounds are what was measured, with some room; run with -v
// for the distribution.
func TestPackIsNearTheOptimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{8, 16, 24} {
		var size, packed []float64
		for range 100 {
			blocks := random(rng, n)
			exact, err := PackExact(blocks, 1)
			if err != nil {
				continue
			}
			p := Pack(blocks, 1)
			checkPlacement(t, blocks, 1, p)
			if p.Peak < exact.Peak {
				t.Fatalf("%+v: packed in %d, the exact search finds %d", blocks, p.Peak, exact.Peak)
			}
			all := live(blocks, 1)
			slices.SortFunc(all, bySize)
			first, _ := firstFit(all, math.MaxInt64)
			size = append(size, gap(first, exact.Peak))
			packed = append(packed, gap(p.Peak, exact.Peak))
		}
		t.Logf("%d blocks, %d instances decided; above the optimum: by size %s; Pack %s", n, len(packed), distribution(size), distribution(packed))
		if len(packed) < 90 {
			t.Errorf("%d blocks: the exact search decided only %d of 100", n, len(packed))
		}
		if worst := slices.Max(packed); worst > 0.03 {
			t.Errorf("%d blocks: Pack is %.1f %% above the optimum", n, 100*worst)
		}
	}
}

func gap(got, want int64) float64 { return float64(got)/float64(want) - 1 }

func distribution(x []float64) string {
	slices.Sort(x)
	at := func(q float64) float64 { return 100 * x[int(q*float64(len(x)-1))] }
	return fmt.Sprintf("median %.1f %%, 90th %.1f %%, worst %.1f %%", at(0.5), at(0.9), at(1))
}

// training is the life-times of a transformer's training step: eleven skeletal tensors a layer that wait for the backward
// pass, and transient ones of both passes.
func training(layers int, d int64) []Block {
	var blocks []Block
	add := func(units int64, first, last int) {
		blocks = append(blocks, Block{Bytes: units * d, First: first, Last: last})
	}
	end := 2*layers*10 + 1
	for l := range layers {
		f, b := 10*l, end-10*(l+1) // the layer's forward and backward operations
		for k, units := range []int64{1, 1, 3, 1, 1, 1, 4, 4} {
			add(units, f+k, b+9-k) // x, norm, qkv, attention, residual, norm, up, activation
		}
		add(1, f+4, f+5) // projection
		add(1, f+9, f+10)
		for k, units := range []int64{1, 4, 4, 1, 1, 3, 1} {
			add(units, b+k, b+k+2) // gradients flowing back
		}
		for k := range 4 {
			add(3, b+2*k, b+2*k) // gradients of weights, used at once
		}
		add(7, f+3, f+3) // scratch
	}
	return blocks
}

func TestPackReachesTheBoundOnTraining(t *testing.T) {
	for _, layers := range []int{1, 2, 6, 48} {
		blocks := training(layers, 1000)
		p := Pack(blocks, 64)
		checkPlacement(t, blocks, 64, p)
		if p.Peak != p.LowerBound {
			t.Errorf("%d layers, %d blocks: peak %d, lower bound %d (%s)", layers, len(blocks), p.Peak, p.LowerBound, p.Order)
		}
	}
}

func TestPackTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/pack/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no traces", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			blocks, want := readTrace(t, path)
			exact, err := PackExact(blocks, 1)
			if err != nil {
				t.Fatal(err)
			}
			p := Pack(blocks, 1)
			checkPlacement(t, blocks, 1, exact)
			checkPlacement(t, blocks, 1, p)
			least := int64(math.MaxInt64)
			permutations(live(blocks, 1), 0, func(order []piece) {
				peak, _ := firstFit(slices.Clone(order), math.MaxInt64)
				least = min(least, peak)
			})
			if exact.Peak != want || p.Peak != want || least != want {
				t.Errorf("exact peak %d, packed %d, least over all orders %d, want %d", exact.Peak, p.Peak, least, want)
			}
		})
	}
}

// readTrace reads lines "malloc ID SIZE" and "free ID" in the order of time, or "live FIRST LAST SIZE", and "want PEAK".
func readTrace(t *testing.T, path string) (blocks []Block, want int64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]int{}
	time := 0
	for line := range strings.Lines(string(text)) {
		word := strings.Fields(line)
		switch {
		case len(word) == 0 || word[0] == "#":
		case word[0] == "malloc" && len(word) == 3:
			size, err := strconv.ParseInt(word[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			open[word[1]] = len(blocks)
			blocks = append(blocks, Block{Name: word[1], Bytes: size, First: time, Last: math.MaxInt32 - 1})
			time++
		case word[0] == "free" && len(word) == 2:
			blocks[open[word[1]]].Last = time - 1 // before the next request
		case word[0] == "live" && len(word) == 4:
			var n [3]int64
			for i := range n {
				if n[i], err = strconv.ParseInt(word[i+1], 10, 64); err != nil {
					t.Fatal(err)
				}
			}
			blocks = append(blocks, Block{First: int(n[0]), Last: int(n[1]), Bytes: n[2]})
		case word[0] == "want" && len(word) == 2:
			if want, err = strconv.ParseInt(word[1], 10, 64); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("%s: unexpected line %q", path, line)
		}
	}
	return blocks, want
}

func BenchmarkPack(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		name   string
		blocks []Block
	}{
		{"training/1k", training(48, 1000)}, {"training/10k", training(480, 1000)},
		{"random/1k", random(rng, 1000)}, {"random/10k", random(rng, 10_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			var p Placement
			for b.Loop() {
				p = Pack(c.blocks, 64)
			}
			b.ReportMetric(100*gap(p.Peak, p.LowerBound), "%above")
		})
	}
}

func ExamplePack() {
	p := Pack([]Block{
		{Name: "hidden", Bytes: 100, First: 0, Last: 1},
		{Name: "logits", Bytes: 60, First: 1, Last: 2},
		{Name: "loss", Bytes: 4, First: 2, Last: 3},
	}, 64)
	fmt.Println(p.Offsets, p.Peak, cmp.Compare(p.Peak, p.LowerBound) == 0)
	// Output: [0 128 0] 192 true
}
