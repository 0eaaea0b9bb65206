package kcore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"io"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/detect"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/run"
)

// IDs says what the ids in lists of edges are.
type IDs string

// The kinds of ids.
const (
	AutoIDs IDs = "auto"   // texts where the lists begin with such, see edgelist.HasNames
	Numbers IDs = "int"    // whole numbers
	Texts   IDs = "string" // whatever stands between separators
)

// KindOfIDs decides between Numbers and Texts, and returns stdin as it is to be read then.
func KindOfIDs(paths []string, asked IDs, stdin io.Reader) (IDs, io.Reader, error) {
	if asked != AutoIDs {
		return asked, stdin, nil
	}
	for _, path := range paths {
		var text io.Reader
		if path == "-" {
			buffered := bufio.NewReaderSize(stdin, 1<<16)
			stdin = buffered
			head, _ := buffered.Peek(1 << 16) // what is wrong with it, its reader will say
			text = bytes.NewReader(head)
		} else {
			kind, list, err := recognise(path, Numbers)
			if err == nil && (!list || kind.Class != detect.Text && kind.Name != "edgelist") {
				if kind.Name == "parquet" && hasTextColumn(path) {
					return Texts, stdin, nil
				}
				continue
			}
			stream, err := format.OpenStream(path)
			if err != nil {
				return Numbers, stdin, format.ReadError(path, -1, "edges", err)
			}
			defer stream.Close()
			text = stream
		}
		head := make([]byte, 1<<16)
		n, _ := io.ReadFull(text, head)
		if edgelist.HasNames(head[:n]) {
			return Texts, stdin, nil
		}
	}
	return Numbers, stdin, nil
}

// labels are ids that are texts.
type labels struct {
	texts  []*memory.Arena // of segmentBytes: each text ends with a line end, and none lies in two arenas
	used   int             // of the last
	arena  *memory.Arena
	places []int64 // of the text of a vertex
}

const placeBits = 21 // of a place within an arena: segmentBytes

// labelsBytes is the memory of labels with so many bytes of text, line ends without.
func labelsBytes(nodes, text int64) int64 {
	return 8*nodes + roundUp(text+nodes+text>>10, segmentBytes) // arenas are not quite full
}

func (l *labels) text(v int) []byte {
	at := l.places[v]
	from := at & (1<<placeBits - 1)
	text := l.texts[at>>placeBits].Bytes(from, int(segmentBytes-from))
	return text[:bytes.IndexByte(text, '\n')]
}

// append keeps a text, and returns its place.
func (l *labels) append(text []byte) (place int64, err error) {
	if len(l.texts) == 0 || l.used+len(text)+1 > segmentBytes {
		arena, err := memory.NewArena(segmentBytes)
		if err != nil {
			return 0, err
		}
		l.texts, l.used = append(l.texts, arena), 0
	}
	last := len(l.texts) - 1
	to := l.texts[last].Bytes(int64(l.used), len(text)+1)
	copy(to, text)
	to[len(text)] = '\n'
	place = int64(last)<<placeBits + int64(l.used)
	l.used += len(to)
	return place, nil
}

// find is the vertex of that text.
func (l *labels) find(text []byte) (v int, ok bool) {
	lo, hi := 0, len(l.places)
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := bytes.Compare(l.text(mid), text); {
		case c == 0:
			return mid, true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false
}

func (l *labels) close() (err error) {
	if l == nil {
		return nil
	}
	for _, arena := range l.texts {
		err = errors.Join(err, arena.Close())
	}
	l.texts = nil
	if l.arena != nil {
		err = errors.Join(err, l.arena.Close())
		l.arena = nil
	}
	return err
}

// dictionary numbers texts: by first appearance, and then by rank.
type dictionary struct {
	labels
	mu   sync.Mutex
	most int64 // bytes; 0: no limit
	seed maphash.Seed

	table *memory.Arena
	slots []uint64 // upper half of the hash, number + 1; 0 where there is none
}

// dictionaryBytes is the most memory that a dictionary takes, while it is sorted.
func dictionaryBytes(nodes, text int64) int64 {
	return labelsBytes(nodes, text) + 24*int64(1)<<bits.Len64(uint64(max(nodes, 1<<15))) + 16*nodes
}

// sortBytes is what sort takes for a while.
func (d *dictionary) sortBytes() int64 { return 16 * int64(len(d.places)) }

// errDictionary says that texts need more than most.
var errDictionary = errors.New("no room for the dictionary of ids")

func newDictionary(most int64) (*dictionary, error) {
	d := &dictionary{most: most, seed: maphash.MakeSeed()}
	return d, d.grow(1 << 15)
}

// grow makes room for so many texts.
func (d *dictionary) grow(n int) error {
	if d.most > 0 && d.bytes()+24*int64(n) > d.most {
		return errDictionary
	}
	table, err := memory.NewArena(16 * int64(n))
	if err != nil {
		return err
	}
	old := d.slots
	d.slots = table.Uint64s(0, 2*n)
	for _, slot := range old {
		if slot != 0 {
			at := d.first(slot)
			for d.slots[at] != 0 {
				at = (at + 1) & (len(d.slots) - 1)
			}
			d.slots[at] = slot
		}
	}
	if d.table != nil {
		err = d.table.Close()
	}
	d.table = table
	arena, more := memory.NewArena(8 * int64(n))
	if err = errors.Join(err, more); err != nil {
		return err
	}
	places := arena.Int64s(0, n)[:len(d.places)]
	copy(places, d.places)
	if d.arena != nil {
		err = d.arena.Close()
	}
	d.arena, d.places = arena, places
	return err
}

func (d *dictionary) bytes() (sum int64) {
	for _, arena := range []*memory.Arena{d.table, d.arena} {
		if arena != nil {
			sum += arena.Size()
		}
	}
	return sum + int64(len(d.texts))*segmentBytes
}

// first is where a slot would like to be.
func (d *dictionary) first(slot uint64) int {
	return int(slot >> 32 * uint64(len(d.slots)) >> 32)
}

// lookup is the slot of a text, or where it would be; hash is of use for it.
func (d *dictionary) lookup(text []byte) (at int, hash uint64) {
	hash = maphash.Bytes(d.seed, text)
	for at = d.first(hash); ; at = (at + 1) & (len(d.slots) - 1) {
		slot := d.slots[at]
		if slot == 0 || slot>>32 == hash>>32 && bytes.Equal(d.labels.text(int(uint32(slot))-1), text) {
			return at, hash
		}
	}
}

// number fills in the numbers of texts, which may be new.
func (d *dictionary) number(texts [][]byte, ids []int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, text := range texts {
		at, hash := d.lookup(text)
		if d.slots[at] == 0 {
			n := len(d.places)
			if n == math.MaxInt32-1 {
				return fmt.Errorf("%d different vertices; expected fewer than 2^31", n)
			}
			if n == cap(d.places) {
				if err := d.grow(2 * n); err != nil {
					return err
				}
				at, _ = d.lookup(text)
			}
			place, err := d.append(text)
			if err != nil {
				return err
			}
			d.places = append(d.places, place)
			d.slots[at] = hash>>32<<32 | uint64(n+1)
			if d.most > 0 && d.bytes() > d.most {
				return errDictionary
			}
		}
		ids[i] = int64(uint32(d.slots[at])) - 1
	}
	return nil
}

// rank fills in the ranks of texts, when there are ranks. It may be called by several at once.
func (d *dictionary) rank(texts [][]byte, ids []int64) error {
	for i, text := range texts {
		at, _ := d.lookup(text)
		if d.slots[at] == 0 {
			return fmt.Errorf("id %.40q was not there when the lists were read first: they have changed", text)
		}
		ids[i] = int64(uint32(d.slots[at])) - 1
	}
	return nil
}

// sort gives texts their ranks, and returns the ranks by number, in an arena.
func (d *dictionary) sort() (ranks []int32, arena *memory.Arena, err error) {
	n := len(d.places)
	if arena, err = memory.NewArena(8 * int64(n)); err != nil {
		return nil, nil, err
	}
	order := arena.Int32s(4*int64(n), n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return bytes.Compare(d.labels.text(int(a)), d.labels.text(int(b))) })
	sorted, err := memory.NewArena(8 * int64(n))
	if err != nil {
		return nil, nil, errors.Join(err, arena.Close())
	}
	ranks, places := arena.Int32s(0, n), sorted.Int64s(0, n)
	for rank, number := range order {
		ranks[number], places[rank] = int32(rank), d.places[number]
	}
	for i, slot := range d.slots {
		if slot != 0 {
			d.slots[i] = slot>>32<<32 | uint64(ranks[uint32(slot)-1]+1)
		}
	}
	err = d.arena.Close()
	d.arena, d.places = sorted, places
	return ranks, arena, err
}

// write writes the texts in order, a line each, and says how many bytes they have, and their CRC-32C.
func (d *dictionary) write(path string) (bytes int64, sum uint32, err error) {
	f, err := createSummed(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	err = writeRows(f, func(lines []byte, v int) []byte {
		line := d.text(v)
		bytes += int64(len(line)) + 1
		return append(append(lines, line...), '\n')
	}, len(d.places))
	if err != nil {
		return 0, 0, err
	}
	return bytes, f.sum, f.Commit()
}

// readLabels reads what write has written: so many texts, in so many bytes of that sum.
func readLabels(path string, nodes int, bytes int64, sum uint32) (l *labels, err error) {
	f, err := memory.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l = &labels{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.arena, err = memory.NewArena(8 * int64(nodes)); err != nil {
		return nil, err
	}
	l.places = l.arena.Int64s(0, nodes)
	lines := bufio.NewReaderSize(io.NewSectionReader(f, 0, bytes), 128<<10)
	at, crc := int64(0), uint32(0)
	for v := range l.places {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return nil, format.ReadError(path, at, "ids", err)
		}
		if l.places[v], err = l.append(line[:len(line)-1]); err != nil {
			return nil, err
		}
		at += int64(len(line))
		crc = crc32.Update(crc, castagnoli, line)
	}
	if at != bytes || crc != sum {
		return nil, wrongSum(path)
	}
	return l, nil
}

// forget leaves the labels alone.
func (d *dictionary) forget() (*labels, error) {
	err := d.table.Close()
	d.table, d.slots = nil, nil
	return &d.labels, err
}

func (d *dictionary) close() error {
	err := d.labels.close()
	if d.table != nil {
		err = errors.Join(err, d.table.Close())
	}
	return err
}

// readNamed makes a graph of lists whose ids are texts.
func readNamed(paths []string, o Options, pool *kernel.Pool) (g *Graph, err error) {
	if o.Vertices > 0 {
		return nil, errNamedVertices
	}
	bags := make([]bag, pool.Workers())
	defer func() { err = errors.Join(err, closeBags(bags)) }()
	d, err := newDictionary(0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	longer := int64(0)
	for _, path := range paths {
		counts, err := readNames(path, o, pool.Workers(), d.number, func(worker int, ids []int64) error { return bags[worker].add(ids) })
		if err != nil {
			return nil, err
		}
		longer += counts.Longer
	}
	ranks, arena, err := d.sort()
	if err != nil {
		return nil, err
	}
	segments := segmentsOf(bags)
	pool.For(len(segments), 1, &renumbering{segments, ranks})
	if err := arena.Close(); err != nil {
		return nil, err
	}
	names, err := d.forget()
	if err != nil {
		return nil, err
	}
	if g, err = build(bags, 0, pool); err != nil {
		return nil, err
	}
	g.labels, g.Longer = names, longer
	return g, nil
}

// readNames reads a list whose ids are texts, and emits what of makes of them.
func readNames(path string, o Options, workers int, of func(texts [][]byte, ids []int64) error, emit func(worker int, ids []int64) error) (edgelist.PairCounts, error) {
	buffers := make([][]int64, workers)
	take := func(worker int, texts [][]byte) error {
		if len(buffers[worker]) < len(texts) {
			buffers[worker] = make([]int64, len(texts))
		}
		ids := buffers[worker][:len(texts)]
		if err := of(texts, ids); err != nil {
			return err
		}
		return emit(worker, ids)
	}
	if path == "-" {
		return edgelist.ReadNamesFrom("standard input", o.Stdin, workers, take)
	}
	kind, list, err := recognise(path, Texts)
	if err != nil {
		return edgelist.PairCounts{}, err
	}
	if !list {
		return edgelist.PairCounts{}, run.Usagef("%s is a %s, whose ids are numbers; --ids string is for lists of edges", path, kind.Title)
	}
	if kind.Name == "parquet" {
		return readParquetNames(path, take)
	}
	return edgelist.ReadNames(path, workers, take)
}

var errNamedVertices = run.Usagef("--vertices declares whole numbers, and the ids are texts; leave it out, or give --ids int")

// renumbering replaces numbers by ranks, as a task: a unit is a segment.
type renumbering struct {
	segments []*segment
	ranks    []int32
}

// Do replaces those of segments lo to hi.
func (t *renumbering) Do(_, lo, hi int) {
	for _, s := range t.segments[lo:hi] {
		ids := s.narrow()
		for i, number := range ids {
			ids[i] = t.ranks[number]
		}
	}
}
