package npy

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/seraph-ml/seraph/format"
)

// Header is the head of a .npy file.
type Header struct {
	DType   DType
	Fortran bool // column-major: the first index varies fastest
	Shape   []int
	Major   int   // format version: 1, 2 or 3
	Offset  int64 // where the data begin
}

const (
	magic     = "\x93NUMPY"
	maxHeader = 1<<16 - 1 // bytes of header text accepted; NumPy itself distrusts more than 10,000
	maxDims   = 64        // as in NumPy
)

// Len returns the number of elements.
func (h Header) Len() int { return product(h.Shape) }

// Bytes returns the size of the data; 0 for objects, whose size the header does not tell.
func (h Header) Bytes() int64 { return int64(h.Len()) * int64(h.DType.Size) }

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// ParseHeader reads the header at the beginning of s and verifies that the data it announces lie in the file, to its end.
func ParseHeader(s *format.Source) (Header, error) {
	h, err := parseHead(s)
	if err != nil {
		return Header{}, err
	}
	if h.DType.Kind == 'O' {
		return h, nil
	}
	if err := s.Need(h.Offset, h.Bytes(), "array data"); err != nil {
		return Header{}, err
	}
	if end := h.Offset + h.Bytes(); end != s.Size {
		return Header{}, s.Corrupt(end, "array data", fmt.Sprintf("%d bytes behind it", s.Size-end), "the end of the file")
	}
	return h, nil
}

// parseHead reads the header without comparing it with the file's length.
func parseHead(s *format.Source) (Header, error) {
	start, err := s.Bytes(0, 10, "npy header")
	if err != nil {
		return Header{}, err
	}
	if string(start[:6]) != magic {
		return Header{}, s.Corrupt(0, "npy magic", fmt.Sprintf("%q", start[:6]), fmt.Sprintf("%q", magic)).WithHint("this is not a .npy array")
	}
	h := Header{Major: int(start[6])}
	textAt, length := int64(10), int64(binary.LittleEndian.Uint16(start[8:]))
	switch {
	case h.Major == 1 && start[7] == 0:
	case (h.Major == 2 || h.Major == 3) && start[7] == 0:
		long, err := s.Bytes(8, 4, "npy header length")
		if err != nil {
			return Header{}, err
		}
		textAt, length = 12, int64(binary.LittleEndian.Uint32(long))
	default:
		return Header{}, s.Corrupt(6, "npy version", fmt.Sprintf("%d.%d", start[6], start[7]), "1.0, 2.0 or 3.0")
	}
	if length > maxHeader {
		return Header{}, s.Corrupt(8, "npy header length", fmt.Sprint(length), fmt.Sprintf("at most %d", maxHeader))
	}
	text, err := s.Bytes(textAt, length, "npy header")
	if err != nil {
		return Header{}, err
	}
	p := headerParser{text: string(text)}
	if err := p.parse(&h); err != nil {
		return Header{}, s.Corrupt(textAt+int64(p.pos), "npy header", err.Error(), "{'descr': TYPE, 'fortran_order': BOOL, 'shape': TUPLE}")
	}
	h.Offset = textAt + length
	return h, nil
}

// headerParser reads the one form of Python dictionary that a header may be: three known keys, each once, in any order.
type headerParser struct {
	text string
	pos  int
}

func (p *headerParser) parse(h *Header) error {
	if !p.accept("{") {
		return p.unexpected()
	}
	var haveDescr, haveOrder, haveShape bool
	for !p.accept("}") {
		key, err := p.quoted()
		if err != nil {
			return err
		}
		if !p.accept(":") {
			return p.unexpected()
		}
		switch {
		case key == "descr" && !haveDescr:
			haveDescr = true
			err = p.descr(h)
		case key == "fortran_order" && !haveOrder:
			haveOrder = true
			h.Fortran, err = p.boolean()
		case key == "shape" && !haveShape:
			haveShape = true
			h.Shape, err = p.shape()
		default:
			err = fmt.Errorf("key %q unknown or twice", key)
		}
		if err != nil {
			return err
		}
		if !p.accept(",") {
			if !p.accept("}") {
				return p.unexpected()
			}
			break
		}
	}
	if !haveDescr || !haveOrder || !haveShape {
		return fmt.Errorf("a key missing")
	}
	if strings.Trim(p.text[p.pos:], " \n") != "" {
		return p.unexpected()
	}
	return checkShape(h.Shape, h.DType.Size)
}

func (p *headerParser) descr(h *Header) error {
	if p.peek() == '[' {
		return fmt.Errorf("a structured type")
	}
	descr, err := p.quoted()
	if err != nil {
		return err
	}
	h.DType, err = ParseDType(descr)
	return err
}

// accept skips spaces and consumes token if it comes next.
func (p *headerParser) accept(token string) bool {
	p.peek()
	if strings.HasPrefix(p.text[p.pos:], token) {
		p.pos += len(token)
		return true
	}
	return false
}

// peek skips spaces and returns the next byte, 0 at the end.
func (p *headerParser) peek() byte {
	for p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *headerParser) unexpected() error {
	if p.pos == len(p.text) {
		return fmt.Errorf("the end of the header")
	}
	return fmt.Errorf("%q", p.text[p.pos:min(len(p.text), p.pos+12)])
}

// quoted reads a string in single or double quotes; escapes do not occur in these headers and are refused.
func (p *headerParser) quoted() (string, error) {
	q := p.peek()
	if q != '\'' && q != '"' {
		return "", p.unexpected()
	}
	end := strings.IndexByte(p.text[p.pos+1:], q)
	if end < 0 {
		return "", fmt.Errorf("a string without end")
	}
	s := p.text[p.pos+1 : p.pos+1+end]
	if strings.ContainsAny(s, "\\\n") {
		return "", fmt.Errorf("a string with an escape")
	}
	p.pos += end + 2
	return s, nil
}

func (p *headerParser) boolean() (bool, error) {
	switch {
	case p.accept("True"):
		return true, nil
	case p.accept("False"):
		return false, nil
	}
	return false, p.unexpected()
}

// shape reads "()", "(3,)", "(3, 4)" and, from Python 2, "(3L, 4L)".
func (p *headerParser) shape() ([]int, error) {
	if !p.accept("(") {
		return nil, p.unexpected()
	}
	shape := []int{}
	for !p.accept(")") {
		d, err := p.size()
		if err != nil {
			return nil, err
		}
		if shape = append(shape, d); len(shape) > maxDims {
			return nil, fmt.Errorf("more than %d dimensions", maxDims)
		}
		p.accept("L")
		if !p.accept(",") {
			if !p.accept(")") || len(shape) == 1 {
				return nil, p.unexpected() // "(3)" is a number in Python, not a shape
			}
			break
		}
	}
	return shape, nil
}

func (p *headerParser) size() (int, error) {
	p.peek()
	start, v := p.pos, 0
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		digit := int(p.text[p.pos] - '0')
		if v > (math.MaxInt-digit)/10 {
			return 0, fmt.Errorf("a size beyond 2^63")
		}
		v = 10*v + digit
		p.pos++
	}
	if p.pos == start {
		return 0, p.unexpected()
	}
	return v, nil
}

// checkShape verifies that the sizes multiply to less than 2^63 bytes, zero sizes aside.
func checkShape(shape []int, size int) error {
	n := max(1, size)
	for _, d := range shape {
		if d > 0 && n > math.MaxInt/d {
			return fmt.Errorf("shape %v, which overflows", shape)
		}
		n *= max(1, d)
	}
	return nil
}
