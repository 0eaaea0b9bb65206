package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/seraph-ml/seraph/format"
)

// maxHeader is the longest header accepted, in bytes: the limit of the reference implementation.
const maxHeader = 100_000_000

// Tensor describes one tensor of a file.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Bytes int64

	source *format.Source
	offset int64 // in source
}

// header is what one file says of itself.
type header struct {
	tensors  []Tensor // in the order of their data
	metadata map[string]string
}

// readHeader reads and verifies the header of one file.
func readHeader(s *format.Source) (*header, error) {
	prefix, err := s.Bytes(0, 8, "header length")
	if err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix)
	if length > maxHeader {
		return nil, s.Corrupt(0, "header length", fmt.Sprint(length), fmt.Sprintf("at most %d", maxHeader)).WithHint("this is not a safetensors file, or it is damaged")
	}
	text, err := s.Bytes(8, int64(length), "header")
	if err != nil {
		return nil, err
	}
	if length == 0 || text[0] != '{' { // blanks may only follow
		return nil, s.Corrupt(8, "header", fmt.Sprintf("%.20q", text), "a JSON object").WithHint("this is not a safetensors file, or it is damaged")
	}
	p := newParser(s, 8, text)
	h, err := p.parse()
	if err != nil {
		return nil, err
	}
	return h, cover(s, h.tensors, p.data)
}

// cover sorts the tensors by place and verifies that they fill the file from data to its end.
func cover(s *format.Source, tensors []Tensor, data int64) error {
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		if a.offset != b.offset {
			return int(min(max(a.offset-b.offset, -1), 1))
		}
		return int(min(max(a.Bytes-b.Bytes, -1), 1)) // empty ones first
	})
	at := data
	for _, t := range tensors {
		switch {
		case t.offset < at:
			return s.Corrupt(t.offset, fmt.Sprintf("data of tensor %q", t.Name), "a range that overlaps another tensor", fmt.Sprintf("a start at %d", at))
		case t.offset > at:
			return s.Corrupt(at, fmt.Sprintf("data before tensor %q", t.Name), fmt.Sprintf("%d bytes that belong to no tensor", t.offset-at), "no holes")
		}
		at += t.Bytes
	}
	if at != s.Size {
		return s.Corrupt(at, "data behind the last tensor", fmt.Sprintf("%d bytes that belong to no tensor", s.Size-at), "the end of the file")
	}
	return nil
}

// headerParser reads the JSON token by token, so that nothing is accepted twice and nothing unknown is skipped.
type headerParser struct {
	source *format.Source
	json   *json.Decoder
	base   int64 // where the JSON begins in the file
	data   int64 // where the data begin: behind it
}

func newParser(s *format.Source, base int64, text []byte) *headerParser {
	p := &headerParser{source: s, json: json.NewDecoder(bytes.NewReader(text)), base: base, data: base + int64(len(text))}
	p.json.UseNumber()
	return p
}

// corrupt returns an error at the token just read.
func (p *headerParser) corrupt(what, found, expected string) *format.CorruptError {
	return p.source.Corrupt(p.base+p.json.InputOffset(), what, found, expected)
}

// token reads one token; syntax errors name their place.
func (p *headerParser) token(what string) (json.Token, error) {
	t, err := p.json.Token()
	if err != nil {
		return nil, p.source.Corrupt(p.base+p.json.InputOffset(), what, "", "").WithCause(fmt.Errorf("JSON: %w", err))
	}
	return t, nil
}

func (p *headerParser) expect(delim json.Delim, what string) error {
	t, err := p.token(what)
	if err == nil && t != delim {
		err = p.corrupt(what, describe(t), string(delim))
	}
	return err
}

func describe(t json.Token) string { return fmt.Sprintf("%.60q", fmt.Sprint(t)) }

// object calls value for each key of an object, refusing a key that occurs twice.
func (p *headerParser) object(what string, value func(key string) error) error {
	if err := p.expect('{', what); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.json.More() {
		t, err := p.token(what)
		if err != nil {
			return err
		}
		key := t.(string) // the decoder has verified that it is one
		if seen[key] {
			return p.corrupt(what, fmt.Sprintf("%.200q twice", key), "each name once")
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return p.expect('}', what)
}

func (p *headerParser) parse() (*header, error) {
	h := &header{}
	err := p.object("header", func(name string) error {
		if name == "__metadata__" {
			h.metadata = map[string]string{}
			return p.object("metadata", func(key string) error {
				text, err := p.text("metadata")
				h.metadata[key] = text
				return err
			})
		}
		t, err := p.tensor(name)
		h.tensors = append(h.tensors, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	return h, p.end("header")
}

// end verifies that nothing but blanks follows.
func (p *headerParser) end(what string) error {
	if _, err := p.json.Token(); err != io.EOF {
		return p.corrupt(what, "more behind it", "its end")
	}
	return nil
}

// text reads a string.
func (p *headerParser) text(what string) (string, error) {
	t, err := p.token(what)
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", p.corrupt(what, describe(t), "a string")
	}
	return s, nil
}

// numbers reads an array of sizes, each 0 … 2^63−1.
func (p *headerParser) numbers(what string) ([]int, error) {
	if err := p.expect('[', what); err != nil {
		return nil, err
	}
	list := []int{}
	for p.json.More() {
		t, err := p.token(what)
		if err != nil {
			return nil, err
		}
		number, _ := t.(json.Number)
		n, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil || n < 0 {
			return nil, p.corrupt(what, describe(t), "a whole number, 0 … 2^63-1")
		}
		list = append(list, int(n))
	}
	return list, p.expect(']', what)
}

// tensor reads {"dtype": …, "shape": …, "data_offsets": …} and verifies the three against each other and the file.
func (p *headerParser) tensor(name string) (Tensor, error) {
	t := Tensor{Name: name, source: p.source}
	what := fmt.Sprintf("tensor %.200q", name)
	var offsets []int
	err := p.object(what, func(key string) (err error) {
		switch key {
		case "dtype":
			var text string
			text, err = p.text(what + ": dtype")
			t.DType = DType(text)
		case "shape":
			t.Shape, err = p.numbers(what + ": shape")
		case "data_offsets":
			offsets, err = p.numbers(what + ": data_offsets")
		default:
			err = p.corrupt(what, fmt.Sprintf("%.60q", key), "dtype, shape or data_offsets")
		}
		return err
	})
	if err != nil {
		return t, err
	}
	if t.DType.Bits() == 0 {
		return t, p.corrupt(what+": dtype", fmt.Sprintf("%.60q", string(t.DType)), "a type of the format, as F32 or BF16")
	}
	if t.Shape == nil || len(offsets) != 2 {
		return t, p.corrupt(what, fmt.Sprintf("shape %v, data_offsets %v", t.Shape, offsets), "a shape and two offsets")
	}
	var ok bool
	if t.Bytes, ok = size(t.DType, t.Shape); !ok {
		return t, p.corrupt(what+": shape", fmt.Sprintf("%.200s of %s", fmt.Sprint(t.Shape), t.DType), "whole bytes, less than 2^60")
	}
	begin, end := int64(offsets[0]), int64(offsets[1])
	if begin > end || end-begin != t.Bytes {
		return t, p.corrupt(what+": data_offsets", fmt.Sprintf("[%d, %d]", begin, end), fmt.Sprintf("a range of %d bytes for its shape", t.Bytes))
	}
	if end > p.source.Size-p.data {
		return t, p.corrupt(what+": data_offsets", fmt.Sprintf("[%d, %d]", begin, end), fmt.Sprintf("at most %d, the bytes behind the header", p.source.Size-p.data)).
			WithHint("the file is cut short; fetch it again")
	}
	t.offset = p.data + begin
	return t, nil
}
