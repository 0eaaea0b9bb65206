package kcore

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/format/sgraph"
)

// Size is how large a graph is, or is thought to be.
type Size struct {
	Nodes    int64 // numbers in use
	Pairs    int64 // edges as they stand in the files
	Text     int64 // bytes of the files
	Greatest int64 // id, as far as it is known and matters
	Decoder  int64 // bytes that a reader takes beside what it emits: of compressed files, of columns, or for a whole graph
	Labels   int64 // bytes of the different ids, where they are texts

	seenNodes, seenLabels int64 // of ids that are texts: what the beginnings of the lists have
}

// Survey guesses the size of a graph from the lengths of its files and the beginning of each list of edges. The pipe "-" is
// taken for empty: what comes out of it is known when it has come.
func Survey(paths []string, o Options) (Size, error) {
	var all Size
	for _, path := range paths {
		if path == "-" {
			continue
		}
		kind, list, err := recognise(path, o.IDs)
		if err != nil {
			return all, err
		}
		var s Size
		if _, ok := recognisePairs(path, kind); ok && o.IDs != Texts {
			s, err = surveyPairs(path, kind)
		} else if list {
			s, err = surveyText(path, o.IDs)
		} else {
			s, err = surveyOther(path, kind)
		}
		if err != nil {
			return all, err
		}
		if kind.Name == "parquet" || strings.HasSuffix(path, ".zst") {
			s.Decoder = decoderBytes
		}
		all.Decoder = max(all.Decoder, s.Decoder)
		all.Pairs += s.Pairs
		all.Text += s.Text
		all.Labels += s.Labels
		all.seenNodes = max(all.seenNodes, s.seenNodes)
		all.seenLabels = max(all.seenLabels, s.seenLabels)
		if o.IDs == Texts {
			all.Nodes += s.Nodes
		} else {
			all.Nodes = max(all.Nodes, s.Nodes)
		}
		all.Greatest = max(all.Greatest, s.Greatest)
	}
	if o.Vertices > 0 {
		all.Nodes, all.Greatest = o.Vertices, 0 // ids are numbers, however far apart
	}
	return all, nil
}

// prefix is how much of a list is looked at.
const prefix = 256 << 10

// decoderBytes is what readers of zstd and Parquet hold: a window and what it is filled from, or a page of each column.
const decoderBytes = 20 << 20

// surveyPairs looks at the beginning of a list that is no text, and at how many pairs it has.
func surveyPairs(path string, kind detect.Kind) (s Size, err error) {
	if s.Text, s.Pairs, err = countPairs(path, kind); err != nil {
		return s, err
	}
	left := prefix / 8
	_, err = readPairs(path, kind, 1, func(_ int, ids []int64) error {
		for _, id := range ids {
			s.Greatest = max(s.Greatest, id)
		}
		if left -= len(ids) / 2; left <= 0 {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return s, err
	}
	s.Nodes = min(2*s.Pairs, s.Greatest+s.Greatest/4+1)
	return s, nil
}

// surveyOther asks a graph of another format: a Seraph graph says how large it is, of others a pair takes four characters.
func surveyOther(path string, kind detect.Kind) (s Size, err error) {
	if s.Decoder, err = detect.ImportBytes(path); err != nil {
		return s, err
	}
	if kind.Name == "sgraph" {
		f, err := sgraph.Open(path)
		if err != nil {
			return s, err
		}
		s.Nodes, s.Pairs = f.Nodes, f.Entries+f.Nodes // with a loop for each that has an id and no edges
		return s, f.Close()
	}
	s.Text = s.Decoder // of a set of several files
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		s.Text = info.Size()
		if format.Uncompressed(path) != path {
			s.Text *= 4
		}
	}
	s.Pairs, s.Nodes = s.Text/4, s.Text/4
	return s, nil
}

var errEnough = errors.New("enough was seen")

// surveyText looks at the beginning of a list. A compressed one is taken to grow to four times its size.
func surveyText(path string, ids IDs) (s Size, err error) {
	stream, err := format.OpenStream(path)
	if err != nil {
		return s, err
	}
	defer stream.Close()
	s.Text = stream.Size
	if format.Uncompressed(path) != path {
		s.Text *= 4
	}
	s.Pairs, s.Nodes = s.Text/4, s.Text/4
	head := make([]byte, prefix)
	n, err := io.ReadFull(stream, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return s, err
	}
	head = head[:bytes.LastIndexByte(head[:n], '\n')+1]
	if ids == Texts {
		surveyNames(&s, path, head)
		return s, nil
	}
	greatest := int64(0)
	counts, err := edgelist.ReadPairsFrom(path, bytes.NewReader(head), 1, func(_ int, ids []int64) error {
		for _, id := range ids {
			greatest = max(greatest, id)
		}
		return nil
	})
	if err != nil || counts.Pairs == 0 {
		return s, nil // the whole file will say what is wrong
	}
	// Lines grow with the ids, which often ascend: those to come are rather longer than these, so there are fewer.
	s.Pairs = s.Text/(int64(len(head))/counts.Pairs) + 1
	s.Nodes = min(2*s.Pairs, greatest+greatest/4+1)
	s.Greatest = greatest
	return s, nil
}

// surveyNames guesses, from the beginning of a list, how many different ids there are and how long they are: new ones come ever more
// rarely, so the share of them at the beginning bounds that of all.
func surveyNames(s *Size, path string, head []byte) {
	seen, bytesSeen := map[string]bool{}, int64(0)
	counts, err := edgelist.ReadNamesFrom(path, bytes.NewReader(head), 1, func(_ int, names [][]byte) error {
		for _, name := range names {
			if !seen[string(name)] {
				seen[string(name)] = true
				bytesSeen += int64(len(name))
			}
		}
		return nil
	})
	if err != nil || counts.Pairs == 0 {
		return // the whole file will say what is wrong
	}
	s.Pairs = s.Text/(int64(len(head))/counts.Pairs) + 1
	s.seenNodes, s.seenLabels = int64(len(seen)), bytesSeen
	times := float64(s.Pairs) / float64(counts.Pairs)
	s.Nodes = int64(times*float64(len(seen))) + 1
	s.Labels = int64(times*float64(bytesSeen)) + 1
	s.Greatest = s.Nodes
}

// PlanMemory is the plan of a decomposition in memory, by so many ranks where there are any. What a pair costs the processors is
// stated as bytes moved to and from memory: measured on R-MAT graphs of scale 22.
func PlanMemory(s Size, threads, ranks int) (*plan.Job, error) {
	baseline, err := memory.Baseline()
	if err != nil {
		return nil, err
	}
	item := func(name string, bytes int64) plan.Item {
		return plan.Item{Name: name, Bytes: bytes, Where: plan.Resident}
	}
	indptr := 8 * (s.Nodes + 1)
	cores := 4 * s.Nodes
	j := &plan.Job{Baseline: baseline, Stages: []plan.Stage{
		{Name: "read", Items: []plan.Item{item("pairs of ids", pairBytes(s.Pairs, threads)), item("text", textBytes(threads)+s.Decoder)}, DiskRead: s.Text, Traffic: 680 * float64(s.Pairs)},
		{Name: "halve", Items: []plan.Item{item("pairs", pairBytes(s.Pairs, threads)), item("rows of larger neighbours", indptr+4*s.Pairs), item("lengths of others", indptr)}, Traffic: 1360 * float64(s.Pairs)},
		{Name: "build", Items: []plan.Item{item("rows of smaller neighbours", indptr+4*s.Pairs), item("rows", indptr+8*s.Pairs)}, Traffic: 1360 * float64(s.Pairs)},
		{Name: "peel", Items: []plan.Item{item("rows", indptr+8*s.Pairs), item("core numbers", cores), item("lists", max(WorkBytes(int(s.Nodes), threads), int64(ranks)*rankBytes(s.Nodes)))}, Traffic: 600 * float64(s.Pairs)},
		{Name: "order and write", Items: []plan.Item{item("rows", indptr+8*s.Pairs), item("core numbers, order, work", 3*cores), item("text", 1<<20)}, Traffic: 50 * float64(s.Pairs)},
	}}
	if s.Labels > 0 {
		for i := range j.Stages {
			ids := item("ids", labelsBytes(s.Nodes, s.Labels))
			if i == 0 {
				ids = item("dictionary of ids", dictionaryBytes(s.Nodes, s.Labels))
			}
			j.Stages[i].Items = append(j.Stages[i].Items, ids)
		}
	}
	j.Predict(plan.LoadRates(threads))
	return j, nil
}

// pairBytes is what bags hold: the last segment of each worker is not full.
func pairBytes(pairs int64, workers int) int64 {
	return 8*pairs + int64(max(workers, 1))*segmentBytes
}

// textBytes is what the reader of lists holds, on the Go heap.
func textBytes(workers int) int64 { return edgelist.PairBytes(max(workers, 1)) }
