package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// The opcodes that are understood; their names are those of Python's pickletools.
const (
	opProto          = 0x80
	opGlobal         = 'c'
	opEmptyTuple     = ')'
	opEmptyList      = ']'
	opEmptyDict      = '}'
	opMark           = '('
	opNone           = 'N'
	opNewTrue        = 0x88
	opNewFalse       = 0x89
	opBinInt         = 'J'
	opBinInt1        = 'K'
	opBinInt2        = 'M'
	opShortBinString = 'U'
	opBinString      = 'T'
	opShortBinBytes  = 'C'
	opBinBytes       = 'B'
	opBinUnicode     = 'X'
	opTuple          = 't'
	opTuple1         = 0x85
	opTuple2         = 0x86
	opTuple3         = 0x87
	opBinPut         = 'q'
	opLongBinPut     = 'r'
	opBinGet         = 'h'
	opAppend         = 'a'
	opAppends        = 'e'
	opSetItems       = 'u'
	opNewObj         = 0x81
	opReduce         = 'R'
	opBuild          = 'b'
	opStop           = '.'
)

// mark is what MARK leaves on the stack.
type mark struct{}

// machine is the state of one reading.
type machine struct {
	content []byte
	pos     int // of the next byte
	stack   []any
	memo    map[uint32]any
}

// step executes the opcode op, whose arguments begin at m.pos.
func (m *machine) step(op byte) error {
	switch op {
	case opProto:
		version, err := m.take(1)
		if err == nil && version[0] != 2 && version[0] != 3 {
			err = fmt.Errorf("protocol %d, expected 2 or 3", version[0])
		}
		return err
	case opGlobal:
		return m.global()
	case opEmptyTuple:
		return m.push(Tuple(nil), nil)
	case opEmptyList:
		return m.push(&List{}, nil)
	case opEmptyDict:
		return m.push(&Dict{}, nil)
	case opMark:
		return m.push(mark{}, nil)
	case opNone:
		return m.push(nil, nil)
	case opNewTrue:
		return m.push(true, nil)
	case opNewFalse:
		return m.push(false, nil)
	case opBinInt, opBinInt1, opBinInt2:
		return m.integer(op)
	case opShortBinString, opBinString, opShortBinBytes, opBinBytes, opBinUnicode:
		return m.text(op)
	case opTuple:
		items, err := m.popMark()
		return m.push(Tuple(items), err)
	case opTuple1, opTuple2, opTuple3:
		items, err := m.popN(int(op-opTuple1) + 1)
		return m.push(Tuple(items), err)
	case opBinPut, opLongBinPut, opBinGet:
		return m.remember(op)
	case opAppend, opAppends:
		return m.extend(op)
	case opSetItems:
		return m.setItems()
	case opNewObj, opReduce, opBuild:
		return m.object(op)
	}
	return fmt.Errorf("opcode %q (%#x), expected one of plain data and arrays", op, op)
}

// take returns the next n bytes of the content.
func (m *machine) take(n int) ([]byte, error) {
	if n > len(m.content)-m.pos {
		return nil, fmt.Errorf("%d bytes wanted, %d left", n, len(m.content)-m.pos)
	}
	b := m.content[m.pos : m.pos+n : m.pos+n]
	m.pos += n
	return b, nil
}

func (m *machine) push(v any, err error) error {
	if err == nil {
		m.stack = append(m.stack, v)
	}
	return err
}

// popN takes the top n values, none of which may be a mark, off the stack.
func (m *machine) popN(n int) ([]any, error) {
	if len(m.stack) < n {
		return nil, fmt.Errorf("%d values on the stack, expected at least %d", len(m.stack), n)
	}
	items := append([]any(nil), m.stack[len(m.stack)-n:]...)
	for _, v := range items {
		if v == (mark{}) {
			return nil, fmt.Errorf("a mark where a value belongs")
		}
	}
	m.stack = m.stack[:len(m.stack)-n]
	return items, nil
}

// popMark takes everything above the topmost mark off the stack, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if m.stack[i] == (mark{}) {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, fmt.Errorf("no mark on the stack")
}

// global reads two lines, a module and a name.
func (m *machine) global() error {
	var lines [2]string
	for i := range lines {
		end := bytes.IndexByte(m.content[m.pos:], '\n')
		if end < 0 || end > 100 {
			return fmt.Errorf("a global without end")
		}
		lines[i] = string(m.content[m.pos : m.pos+end])
		m.pos += end + 1
	}
	g := global(lines[0] + " " + lines[1])
	if !allowed[g] {
		return fmt.Errorf("the global %q, expected %s", lines[0]+"."+lines[1], allowedGlobals)
	}
	return m.push(g, nil)
}

func (m *machine) integer(op byte) error {
	switch op {
	case opBinInt1:
		b, err := m.take(1)
		if err != nil {
			return err
		}
		return m.push(int64(b[0]), nil)
	case opBinInt2:
		b, err := m.take(2)
		if err != nil {
			return err
		}
		return m.push(int64(binary.LittleEndian.Uint16(b)), nil)
	default:
		b, err := m.take(4)
		if err != nil {
			return err
		}
		return m.push(int64(int32(binary.LittleEndian.Uint32(b))), nil)
	}
}

// text reads a string with its length before it: of one byte in the short forms, of four else.
func (m *machine) text(op byte) error {
	var n int
	if op == opShortBinString || op == opShortBinBytes {
		b, err := m.take(1)
		if err != nil {
			return err
		}
		n = int(b[0])
	} else {
		b, err := m.take(4)
		if err != nil {
			return err
		}
		n = int(binary.LittleEndian.Uint32(b))
	}
	b, err := m.take(n)
	if op != opBinUnicode || err != nil {
		return m.push(b, err)
	}
	if !utf8.Valid(b) {
		return fmt.Errorf("unicode that is not UTF-8")
	}
	return m.push(string(b), nil)
}

// remember is the memo: BINPUT and LONG_BINPUT store the top of the stack, BINGET fetches.
func (m *machine) remember(op byte) error {
	size := 1
	if op == opLongBinPut {
		size = 4
	}
	b, err := m.take(size)
	if err != nil {
		return err
	}
	key := uint32(b[0])
	if op == opLongBinPut {
		key = binary.LittleEndian.Uint32(b)
	}
	if op == opBinGet {
		v, ok := m.memo[key]
		if !ok {
			return fmt.Errorf("memo %d, which was never stored", key)
		}
		return m.push(v, nil)
	}
	if len(m.stack) == 0 || m.stack[len(m.stack)-1] == (mark{}) {
		return fmt.Errorf("nothing to store in the memo")
	}
	m.memo[key] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) extend(op byte) error {
	var items []any
	var err error
	if op == opAppends {
		items, err = m.popMark()
	} else {
		items, err = m.popN(1)
	}
	if err != nil {
		return err
	}
	if len(m.stack) > 0 {
		if list, ok := m.stack[len(m.stack)-1].(*List); ok {
			list.Items = append(list.Items, items...)
			return nil
		}
	}
	return fmt.Errorf("items without a list")
}

func (m *machine) setItems() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if len(m.stack) == 0 || len(items)%2 != 0 {
		return fmt.Errorf("items without a dict, or a key without a value")
	}
	dict, ok := m.stack[len(m.stack)-1].(*Dict)
	if !ok {
		return fmt.Errorf("items for a %s, expected a dict", typeName(m.stack[len(m.stack)-1]))
	}
	for i := 0; i < len(items); i += 2 {
		if err := dict.set(items[i], items[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// object is NEWOBJ, REDUCE and BUILD, each over the two top values.
func (m *machine) object(op byte) error {
	pair, err := m.popN(2)
	if err != nil {
		return err
	}
	if op == opBuild {
		return m.push(pair[0], build(pair[0], pair[1]))
	}
	args, ok := pair[1].(Tuple)
	if !ok {
		return fmt.Errorf("arguments in a %s, expected a tuple", typeName(pair[1]))
	}
	if op == opNewObj {
		return m.push(newObject(pair[0], args))
	}
	return m.push(call(pair[0], args))
}
