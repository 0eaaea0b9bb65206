package edgelist

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"sync"

	"github.com/seraph-ml/seraph/format"
)

const (
	chunkBytes = 256 << 10 // of text that a worker takes at a time; a line is shorter
	pastChunk  = 16        // bytes behind a chunk that may be read: a number is read eight characters at a time
	blockPairs = 2048      // that emit gets at a time
)

// PairCounts is what a list came to.
type PairCounts struct {
	Pairs   int64 // edges as they stand in the file
	Longer  int64 // lines with more columns than the two ids
	Headers int64 // first lines of names that were skipped: 0 or 1
}

// ReadPairs reads the ids of a list as [Read] does, with several workers and without keeping anything: for lists that are
// larger than memory. Each worker, 0 … workers−1, calls emit with blocks of edges, ids[2i] and ids[2i+1] being the ends
// of one; blocks come in any order, and ids is used again. The first error of emit, or in the file, ends the reading.
func ReadPairs(path string, workers int, emit func(worker int, ids []int64) error) (PairCounts, error) {
	s, err := format.OpenStream(path)
	if err != nil {
		return PairCounts{}, err
	}
	defer s.Close()
	return ReadPairsFrom(path, s, workers, emit)
}

// ReadPairsFrom is ReadPairs for what comes through a pipe; path is the name that errors use.
func ReadPairsFrom(path string, text io.Reader, workers int, emit func(worker int, ids []int64) error) (PairCounts, error) {
	parsers := make([]pairParser, max(workers, 1))
	err := readChunks(path, text, len(parsers), func(w int) func(chunk) (int, error) {
		p := &parsers[w]
		p.path, p.ids = path, make([]int64, 0, 2*blockPairs)
		p.emit = func(ids []int64) error { return emit(w, ids) }
		return p.chunk
	})
	var counts PairCounts
	for i := range parsers {
		counts.Pairs += parsers[i].counts.Pairs
		counts.Longer += parsers[i].counts.Longer
		counts.Headers += parsers[i].counts.Headers
	}
	if err == nil && counts.Pairs == 0 {
		err = noEdge(path)
	}
	return counts, err
}

func noEdge(path string) error {
	return format.CorruptLine(path, 1, "edge list", "no edge", "lines of two node ids")
}

// readChunks cuts a text into chunks, which so many workers parse, each with a function of its own that returns, with an error, its line.
func readChunks(path string, text io.Reader, workers int, parser func(w int) func(chunk) (line int, err error)) error {
	r := &pairReader{path: path, free: make(chan []byte, workers+2), full: make(chan chunk)}
	for range cap(r.free) {
		r.free <- make([]byte, chunkBytes+pastChunk)
	}
	var running sync.WaitGroup
	for w := range workers {
		parse := parser(w)
		running.Go(func() { r.parse(parse) })
	}
	err := r.cut(text)
	close(r.full)
	running.Wait()
	if r.err != nil { // stands in the file before what cut found
		return r.err
	}
	return err
}

// chunk is text of whole lines, followed by pastChunk bytes of anything.
type chunk struct {
	text []byte
	line int // number of its first one
}

// pairReader cuts a text into chunks.
type pairReader struct {
	path string
	free chan []byte
	full chan chunk

	mu   sync.Mutex
	err  error
	line int // where err happened: the first in the file is kept
}

// cut reads the text to its end, or until a worker fails.
func (r *pairReader) cut(text io.Reader) error {
	buf, kept := <-r.free, 0
	for line := 1; ; {
		n, err := io.ReadFull(text, buf[kept:chunkBytes])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		var corrupt *format.CorruptError
		if err != nil && (!last || errors.As(err, &corrupt)) {
			return format.ReadError(r.path, -1, "content", err)
		}
		end := kept + n
		whole := bytes.LastIndexByte(buf[:end], '\n') + 1
		if last && whole < end { // the last line has no end
			buf[end] = '\n'
			whole = end + 1
		}
		if whole == 0 && !last {
			return format.CorruptLine(r.path, line, "line", fmt.Sprintf("more than %d characters", chunkBytes), "two node ids").
				WithHint("this is no list of edges, or it is damaged")
		}
		next := <-r.free
		if !last {
			kept = copy(next, buf[whole:end])
		}
		if r.failed() {
			return nil
		}
		r.full <- chunk{buf[:whole], line}
		if last {
			return nil
		}
		line += bytes.Count(buf[:whole], []byte{'\n'})
		buf = next
	}
}

func (r *pairReader) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err != nil
}

// parse is the life of a worker. After an error it goes on to take chunks, so that cut need not wait, and drops them.
func (r *pairReader) parse(parse func(chunk) (int, error)) {
	var failed error
	for c := range r.full {
		if failed == nil {
			var line int
			if line, failed = parse(c); failed != nil {
				r.mu.Lock()
				if r.err == nil || line < r.line {
					r.err, r.line = failed, line
				}
				r.mu.Unlock()
			}
		}
		r.free <- c.text[:chunkBytes+pastChunk]
	}
}

// pairParser is what a worker parses with.
type pairParser struct {
	path   string
	emit   func(ids []int64) error
	ids    []int64
	counts PairCounts
}

// chunk parses a chunk. In a case of error it returns the line.
func (p *pairParser) chunk(c chunk) (line int, err error) {
	all := c.text[:len(c.text)+pastChunk]
	at := 0
	if c.line == 1 && bytes.HasPrefix(c.text, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for at < len(c.text) {
		begin := at
		if at, err = p.edge(all, at); err != nil {
			at, err = p.otherLine(all, begin, c.line == 1)
		}
		if err == nil && len(p.ids) == cap(p.ids) {
			err = p.flush()
		}
		if err != nil {
			line = c.line + bytes.Count(c.text[:begin], []byte{'\n'})
			var corrupt *format.CorruptError
			if errors.As(err, &corrupt) && corrupt.Path == "" {
				corrupt.Path, corrupt.Line = p.path, line
			}
			return line, err
		}
	}
	return c.line, p.flush()
}

func (p *pairParser) flush() error {
	if len(p.ids) == 0 {
		return nil
	}
	err := p.emit(p.ids)
	p.ids = p.ids[:0]
	return err
}

// errPlain is the answer of edge to a line that does not begin with two ids.
var errPlain = errors.New("not a plain edge")

// edge parses a line that begins with an id at i, and returns where the next one begins.
func (p *pairParser) edge(text []byte, i int) (next int, err error) {
	u, i, ok := natural(text, i)
	if !ok || !separator[text[i]] {
		return i, errPlain
	}
	i++
	if text[i]-'0' > 9 {
		i = separated(text, i-1)
	}
	v, i, ok := natural(text, i)
	if !ok || text[i] != '\n' && !separator[text[i]] {
		return i, errPlain
	}
	if text[i] != '\n' {
		behind := text[i:]
		behind = behind[:bytes.IndexByte(behind, '\n')]
		i += len(behind)
		if len(bytes.Trim(behind, " \t\r")) > 0 {
			p.counts.Longer++
		}
	}
	p.ids = append(p.ids, u, v)
	p.counts.Pairs++
	return i + 1, nil
}

// otherLine parses a line that begins otherwise: blank, a comment, a header, an edge behind blanks, or a mistake.
func (p *pairParser) otherLine(text []byte, i int, first bool) (next int, err error) {
	begin := i
	for text[i] == ' ' || text[i] == '\t' || text[i] == '\r' {
		i++
	}
	end := i + bytes.IndexByte(text[i:], '\n')
	c := text[i]
	switch {
	case c == '\n', c == '#', c == '%':
		return end + 1, nil
	case first && p.counts.Pairs == 0 && p.counts.Headers == 0 && beginsName(c):
		p.counts.Headers++
		return end + 1, nil
	}
	if i > begin {
		if next, err = p.edge(text, i); err == nil {
			return next, nil
		}
	}
	return 0, mistake(text[i:end])
}

// mistake says what is wrong with a line of text; the caller adds where.
func mistake(line []byte) error {
	what := "node id"
	for range 2 {
		n := bytes.IndexAny(line, " \t\r,")
		if n < 0 {
			n = len(line)
		}
		field := line[:n]
		if _, ok := format.ParseNatural(field); !ok {
			found := fmt.Sprintf("%.40q", field)
			if n == len(line) && n == 0 {
				found = "the end of the line"
			}
			return &format.CorruptError{Offset: -1, What: what, Found: found, Expected: fmt.Sprintf("a whole number, 0 … %d", int64(math.MaxInt64))}
		}
		line = append(line, '\n')
		line = bytes.TrimRight(line[separated(line, n):], "\n")
		what = "second node id"
	}
	return &format.CorruptError{Offset: -1, What: "edge", Found: fmt.Sprintf("%.40q", line), Expected: "two node ids"}
}

// separator is what stands between ids.
var separator = [256]bool{' ': true, '\t': true, '\r': true, ',': true}

// separated passes over blanks and at most one comma at i.
func separated(text []byte, i int) int {
	for comma := false; separator[text[i]] && !(comma && text[i] == ','); i++ {
		comma = comma || text[i] == ','
	}
	return i
}

// natural reads digits at i, eight at a time, and returns where they end. It is not ok where there is none, or beyond int64.
// Eight bytes behind any character of text can be read.
func natural(text []byte, i int) (v int64, end int, ok bool) {
	word := binary.LittleEndian.Uint64(text[i:]) ^ 0x3030303030303030 // digits are 0 … 9 now
	// The lowest byte above 9 gets its high bit set; no digit below carries into it.
	other := (word | (word + 0x7676767676767676)) & 0x8080808080808080
	n := bits.TrailingZeros64(other) >> 3
	if n == 0 {
		return 0, i, false
	}
	v = eight(word << (64 - 8*n))
	i += n
	if n < 8 {
		return v, i, true
	}
	for ; text[i]-'0' <= 9; i++ {
		d := int64(text[i] - '0')
		if v > (math.MaxInt64-d)/10 {
			return 0, i, false
		}
		v = 10*v + d
	}
	return v, i, true
}

// eight is the number of eight digits, the first in the lowest byte: neighbours are joined into pairs, then pairs into fours.
func eight(digits uint64) int64 {
	pairs := digits*10 + digits>>8
	const mask = 0x000000ff000000ff
	return int64(((pairs&mask)*(100+1000000<<32) + (pairs>>16&mask)*(1+10000<<32)) >> 32)
}

// PairBytes is the memory that ReadPairs takes.
func PairBytes(workers int) int64 {
	return int64(workers+2)*(chunkBytes+pastChunk) + int64(workers)*16*blockPairs
}
