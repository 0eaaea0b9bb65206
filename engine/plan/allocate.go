package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
)

// Allocation is the address of everything in a program: first the persistent tensors side by side, which keep theirs
// between runs, then the rest, which share storage as their life-times allow. The two regions may also be two arenas:
// addresses at or above Persistent then count from there.
type Allocation struct {
	Offsets    []int64 // of each tensor, in bytes from the beginning of the arena; an alias has that of what it aliases
	Scratch    []int64 // of each operation's scratch, -1 where it has none
	Arena      int64   // bytes in all
	Persistent int64   // bytes of the persistent region
	LowerBound int64   // bytes that no allocation can do without: the persistent ones and the most others live at once
	Order      string  // how the packing was found
	PeakOp     int     // the first operation at which the most bytes are live
	PeakName   string
	Live       []Block // what shares storage and is live at PeakOp, the largest first, sizes aligned
}

// Allocate gives every tensor and every operation's scratch an address that is a multiple of align. A tensor that is not
// persistent is live from the operation that makes it, an input from the start, to its last use or, where Keep is set, to
// the end; aliases extend the life of what they share storage with. A graph that contradicts itself is an error.
func (g *Graph) Allocate(align int64) (Allocation, error) {
	roots, err := g.check()
	if err != nil {
		return Allocation{}, err
	}
	align = max(align, 1)
	a := Allocation{Offsets: make([]int64, len(g.Tensors)), Scratch: make([]int64, len(g.Ops))}

	// Storage is what tensors with the same root share; it lives as long as any of them.
	lives := make([]Block, len(g.Tensors)) // at the index of the root
	for i := range g.Tensors {
		lives[i] = Block{Name: g.Tensors[i].Name, Bytes: g.Tensors[i].Bytes}
		lives[i].First, lives[i].Last = g.life(i)
	}
	for i, root := range roots {
		first, last := g.life(i)
		lives[root].First, lives[root].Last = min(lives[root].First, first), max(lives[root].Last, last)
	}
	var blocks []Block
	var place []*int64 // where the offset of each block goes
	for i := range g.Tensors {
		switch {
		case roots[i] != i:
		case g.Tensors[i].Kind.Persistent():
			a.Offsets[i] = a.Persistent
			a.Persistent += alignUp(g.Tensors[i].Bytes, align)
		default:
			blocks, place = append(blocks, lives[i]), append(place, &a.Offsets[i])
		}
	}
	for i := range g.Ops {
		a.Scratch[i] = -1
		if n := g.Ops[i].Scratch; n > 0 {
			blocks, place = append(blocks, Block{Name: g.Ops[i].Name + " (scratch)", Bytes: n, First: i, Last: i}), append(place, &a.Scratch[i])
		}
	}
	p := Pack(blocks, align)
	for i, offset := range p.Offsets {
		*place[i] = a.Persistent + offset
	}
	for i, root := range roots {
		a.Offsets[i] = a.Offsets[root]
	}
	a.Arena, a.LowerBound, a.Order = a.Persistent+p.Peak, a.Persistent+p.LowerBound, p.Order
	a.findPeak(g, blocks, align)
	return a, nil
}

// life returns the first and last operation at which the contents of a tensor are needed.
func (g *Graph) life(i int) (first, last int) {
	t := &g.Tensors[i]
	first = max(t.Producer, 0)
	last = first
	if len(t.Uses) > 0 {
		last = max(last, t.Uses[len(t.Uses)-1])
	}
	if t.Keep {
		last = max(last, len(g.Ops)-1)
	}
	return first, last
}

// check returns the tensor whose storage each one shares (itself where it has its own), or what is wrong with the graph.
func (g *Graph) check() (roots []int, err error) {
	var total int64
	for i := range g.Tensors {
		t := &g.Tensors[i]
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("tensor %d (%s): %s", i, t.Name, fmt.Sprintf(format, args...))
		}
		outside := t.Kind == Input || t.Kind.Persistent() // made outside of the program
		switch {
		case t.Kind > State:
			return nil, wrong("unknown kind %d", t.Kind)
		case t.Bytes < 0 || t.Bytes > math.MaxInt64/4-total:
			return nil, wrong("%d bytes, after %d of other tensors", t.Bytes, total)
		case t.Producer < -1 || t.Producer >= len(g.Ops):
			return nil, wrong("made by operation %d of %d", t.Producer, len(g.Ops))
		case t.Kind == Input && t.Producer >= 0:
			return nil, wrong("is an input, yet operation %d makes it", t.Producer)
		case !outside && t.Producer < 0:
			return nil, wrong("is neither input nor persistent, yet no operation makes it")
		case !slices.IsSorted(t.Uses):
			return nil, wrong("uses %v are not in ascending order", t.Uses)
		case len(t.Uses) > 0 && (t.Uses[0] < 0 || t.Uses[len(t.Uses)-1] >= len(g.Ops)):
			return nil, wrong("used by operations %v of %d", t.Uses, len(g.Ops))
		case !outside && len(t.Uses) > 0 && t.Uses[0] < t.Producer:
			return nil, wrong("used by operation %d before operation %d makes it", t.Uses[0], t.Producer)
		}
		total += t.Bytes
		root := i
		for steps := 0; g.Tensors[root].Alias != -1; steps++ {
			if root = g.Tensors[root].Alias; root < 0 || root >= len(g.Tensors) || steps > len(g.Tensors) {
				return nil, wrong("aliases no tensor or, in the end, itself")
			}
		}
		switch r := &g.Tensors[root]; {
		case t.Bytes > r.Bytes:
			return nil, wrong("%d bytes share the storage of %s, which has %d", t.Bytes, r.Name, r.Bytes)
		case t.Kind.Persistent() && !r.Kind.Persistent():
			return nil, wrong("is persistent, yet shares the storage of %s, which is not; alias the other way round", r.Name)
		}
		roots = append(roots, root)
	}
	for i := range g.Ops {
		op := &g.Ops[i]
		wrong := func(format string, args ...any) error {
			return fmt.Errorf("operation %d (%s): %s", i, op.Name, fmt.Sprintf(format, args...))
		}
		if op.Scratch < 0 || op.Scratch > math.MaxInt64/4-total {
			return nil, wrong("%d bytes of scratch", op.Scratch)
		}
		total += op.Scratch
		for _, t := range op.In {
			if t < 0 || t >= len(g.Tensors) {
				return nil, wrong("reads tensor %d of %d", t, len(g.Tensors))
			}
			if _, found := slices.BinarySearch(g.Tensors[t].Uses, i); !found {
				return nil, wrong("reads tensor %d (%s), whose uses %v do not name it", t, g.Tensors[t].Name, g.Tensors[t].Uses)
			}
		}
		for _, t := range op.Out {
			if t < 0 || t >= len(g.Tensors) {
				return nil, wrong("makes tensor %d of %d", t, len(g.Tensors))
			}
			if g.Tensors[t].Producer != i {
				return nil, wrong("makes tensor %d (%s), which names operation %d as its producer", t, g.Tensors[t].Name, g.Tensors[t].Producer)
			}
		}
	}
	return roots, nil
}

// findPeak fills in what is live where the most bytes are.
func (a *Allocation) findPeak(g *Graph, blocks []Block, align int64) {
	if len(g.Ops) == 0 {
		return
	}
	change := make([]int64, len(g.Ops)+1)
	for _, b := range blocks {
		change[b.First] += alignUp(b.Bytes, align)
		change[b.Last+1] -= alignUp(b.Bytes, align)
	}
	var now, most int64
	for i := range g.Ops {
		if now += change[i]; now > most {
			most, a.PeakOp = now, i
		}
	}
	a.PeakName = g.Ops[a.PeakOp].Name
	for _, b := range blocks {
		if b.First <= a.PeakOp && a.PeakOp <= b.Last && b.Bytes > 0 {
			b.Bytes = alignUp(b.Bytes, align)
			a.Live = append(a.Live, b)
		}
	}
	slices.SortStableFunc(a.Live, func(x, y Block) int { return cmp.Compare(y.Bytes, x.Bytes) })
}

// Report describes the allocation to people: its size beside the lower bound, the operation at the peak and the largest
// tensors that are live there.
func (a *Allocation) Report() string {
	const most = 10
	var s strings.Builder
	above := 0.0
	if a.LowerBound > 0 {
		above = 100 * (float64(a.Arena)/float64(a.LowerBound) - 1)
	}
	fmt.Fprintf(&s, "arena %s: %s persistent, %s shared; lower bound %s, %.1f %% above it", memory.FormatSize(a.Arena),
		memory.FormatSize(a.Persistent), memory.FormatSize(a.Arena-a.Persistent), memory.FormatSize(a.LowerBound), above)
	if a.Order != "" {
		fmt.Fprintf(&s, ", packed by %s", a.Order)
	}
	s.WriteByte('\n')
	if len(a.Live) == 0 {
		return s.String()
	}
	fmt.Fprintf(&s, "peak at operation %d, %s, with %d live:\n", a.PeakOp, a.PeakName, len(a.Live))
	for _, b := range a.Live[:min(most, len(a.Live))] {
		fmt.Fprintf(&s, "  %8s  %s, operations %d to %d\n", memory.FormatSize(b.Bytes), b.Name, b.First, b.Last)
	}
	if len(a.Live) > most {
		var rest int64
		for _, b := range a.Live[most:] {
			rest += b.Bytes
		}
		fmt.Fprintf(&s, "  %8s  %d more\n", memory.FormatSize(rest), len(a.Live)-most)
	}
	return s.String()
}

func alignUp(n, align int64) int64 { return (n + align - 1) / align * align }
