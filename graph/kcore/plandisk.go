package kcore

import (
	"fmt"
	"math"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/graph/edges"
	"github.com/seraph-ml/seraph/graph/kcore/rowfile"
)

// Sweeps is how many sweeps Divide makes before the first part: more make better bounds, and each is a pass over all rows.
const Sweeps = 1

// DiskPlan is how a decomposition on disk uses its memory, in bytes.
type DiskPlan struct {
	*plan.Job
	Import int64 // Import.Memory
	Part   int64 // Divide.Part
	Passes int64 // over the rows that are expected: no bound
}

// PlanDisk is the plan of a decomposition on disk within a budget: by what Survey has guessed, or by the index of what has been
// imported. An order or a proof needs so many vectors of 4 bytes a vertex, at most 2, which come out of Part. It is a
// *plan.TooSmallError where there is no plan.
func PlanDisk(s Size, x *rowfile.Index, e Engine, threads, vectors int, budget int64) (p DiskPlan, err error) {
	baseline, err := memory.Baseline()
	if err != nil {
		return p, err
	}
	guessed := x == nil
	if guessed {
		if s.Labels > 0 { // how many ids there are nobody knows before all are read, and then the import says what it needs
			s.Nodes, s.Labels = s.seenNodes, s.seenLabels
		}
		x = guessIndex(s)
	}
	ids, dictionary := int64(0), int64(0)
	if s.Labels > 0 {
		ids, dictionary = labelsBytes(int64(x.Nodes), s.Labels), dictionaryBytes(int64(x.Nodes), s.Labels)
	} else if s.Greatest > 0 && !areNumbers(s.Greatest, s.Pairs) {
		ids = 8 * int64(x.Nodes)
	}
	core := 4*int64(x.Nodes) + ids + int64(x.Nodes)/8 // estimates, ids, and which numbers are vertices
	beside := 4 * int64(vectors) * int64(x.Nodes)
	text := textBytes(threads) + int64(threads)*pairsBytes + s.Decoder
	blocks := rowfile.FileBytes(x)
	sweeps := sweepingBytes(x, threads)
	index := partBytes(x.Nodes, threads)
	p.Import = (budget - baseline - text) / memory.BlockSize * memory.BlockSize
	p.Part = (budget - baseline - core - blocks - sweeps - index) / memory.BlockSize * memory.BlockSize
	least := edges.Least + rowfile.WriterBytes(writerRow(0))
	if guessed {
		least += dictionary
	}
	if small := max(least-p.Import, LeastPart+beside-p.Part); small > 0 {
		return p, &plan.TooSmallError{Budget: budget, Smallest: roundUp(budget+small, 1<<20), Stage: "the plan on disk"}
	}
	item := func(name string, bytes int64, where plan.Where, note string) plan.Item {
		return plan.Item{Name: name, Bytes: bytes, Where: where, Note: note}
	}
	sorted := edges.NewPlan(edges.Options{Memory: p.Import - rowfile.WriterBytes(writerRow(p.Import)), Symmetric: true}, s.Pairs, int64(x.Nodes))
	// A part need not be larger than all rows with their vertices, and the vectors of a proof beside them.
	p.Part = min(p.Part, roundUp(LeastPart+max(2*(x.Bytes+partVertex*x.Rows), 8*int64(x.Nodes)), memory.BlockSize))
	p.Passes = 4 * Sweeps
	if e != Scan {
		p.Passes = Sweeps + expectedParts(x.Bytes, p.Part)
	}
	passes := float64(p.Passes)
	imported := roundUp(dictionary+sorted.Memory+rowfile.WriterBytes(writerRow(p.Import)), memory.BlockSize)
	p.Job = &plan.Job{Budget: budget, Baseline: baseline, Stages: []plan.Stage{
		{Name: "sort the edges", Items: []plan.Item{item("text", text, plan.Resident, ""), item("pairs and runs", min(imported, p.Import), plan.Streamed, "")},
			DiskRead: s.Text + sorted.Read, DiskWrite: sorted.Written + x.Bytes + core, Traffic: sortTraffic * float64(s.Pairs)},
		{Name: "divide", Items: []plan.Item{item("estimates and ids", core, plan.Resident, ""), item("rows", blocks, plan.Streamed, fmt.Sprintf("%d passes expected", p.Passes)),
			item("sweeps", sweeps, plan.Resident, ""), item("part", p.Part+index, plan.Resident, "")},
			DiskRead: int64(passes * float64(x.Bytes)), DiskWrite: (p.Passes + 1) * 4 * int64(x.Nodes), Traffic: passes * passTraffic * float64(s.Pairs)},
	}}
	if vectors > 0 {
		part := p.Part - beside
		p.Stages = append(p.Stages, plan.Stage{Name: "order or proof", Items: []plan.Item{item("core numbers and ids", core, plan.Resident, ""),
			item("places or claims", beside, plan.Resident, ""), item("rows", blocks, plan.Streamed, ""), item("sweeps", sweeps, plan.Resident, ""), item("part", part+index, plan.Resident, "")},
			DiskRead: int64(2+math.Ceil(float64(x.Bytes)/float64(part))) * x.Bytes, Traffic: 80 * float64(s.Pairs)})
	}
	p.Stages = append(p.Stages, plan.Stage{Name: "write", Items: []plan.Item{item("core numbers and ids", core, plan.Resident, ""), item("text", 1<<20, plan.Resident, "")}, Traffic: 50 * float64(x.Nodes)})
	if !guessed {
		p.Stages = p.Stages[1:]
	}
	p.Predict(plan.LoadRates(threads))
	return p, nil
}

// What a pair of ids costs the processors, as bytes moved to and from memory: measured on R-MAT graphs of scale 22, on two threads.
const (
	sortTraffic = 4900 // from text to rows
	passTraffic = 730  // a pass: of a sweep, or of a part with its peeling
)

// expectedParts is how many parts of so many bytes a graph is divided into, whose rows have that many. Edges between parts are never
// kept: where neighbours are as likely as they have ends, a part with the share w of all ends has w² of the entries, and those of the same
// size number √(rows/part). Parts are not filled to the brim, and the estimates that choose them are above the core numbers: twice as
// many were found. There is no useful bound: a shell that is larger than a part is swept until it is not.
func expectedParts(rows, part int64) int64 {
	return max(1, int64(2*math.Sqrt(float64(rows)/float64(part))))
}

// pairsBytes is what a worker of Import holds: the two ends of some pairs.
const pairsBytes = 2 * 8 * 4096

// guessIndex is what rows on disk will be like: two bytes a neighbour, and hubs as graphs that people have draw them.
func guessIndex(s Size) *rowfile.Index {
	bytes := memory.BlockSize + 4*s.Pairs + 8*s.Nodes
	x := &rowfile.Index{Nodes: int(s.Nodes), Rows: s.Nodes, Entries: 2 * s.Pairs, Longest: int(s.Nodes/32 + 1), Bytes: bytes}
	x.Pages = append(x.Pages, int32(min(bytes/memory.BlockSize, int64(16+x.Longest/1024)))) // the largest block alone
	return x
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }
