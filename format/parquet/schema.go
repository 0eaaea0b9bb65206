package parquet

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// physical is how values are stored.
type physical int8

const (
	boolean physical = iota
	int32s
	int64s
	int96s
	float32s
	float64s
	byteArray
	fixedBytes
)

func (p physical) String() string {
	return [...]string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}[p]
}

// width returns the bytes of a value in PLAIN; 0 for a boolean and for a BYTE_ARRAY, which brings its length.
func (f *field) width() int {
	switch f.physical {
	case int32s, float32s:
		return 4
	case int64s, float64s:
		return 8
	case int96s:
		return 12
	case fixedBytes:
		return f.length
	}
	return 0
}

// logical is what values mean.
type logical int8

const (
	plainValue logical = iota
	textValue
	unsigned
	decimal
	date
	timeOfDay
	timestamp
	float16
	uuid
	unknownNull // always null
	otherValue  // named in field.other
)

// field is a leaf of the schema: one chunk in each group of rows.
type field struct {
	path     []string
	physical physical
	length   int // of FIXED_LEN_BYTE_ARRAY
	optional bool
	nested   string // why this is no flat column; "" for a flat one

	logical logical
	scale   int    // of a decimal: value = stored · 10^−scale
	unit    string // of a time
	other   string // name of a logical type that is not read
}

// String names the column as errors do.
func (f *field) String() string { return fmt.Sprintf("column %.200q", strings.Join(f.path, ".")) }

// column is the name of the top level.
func (f *field) column() string { return f.path[0] }

// element is SchemaElement: a node of the tree that the schema lists in depth-first order.
type element struct {
	field
	name     string
	typed    bool
	repeated bool
	children int
}

// schema reads the schema and returns its leaves.
func (r *thriftReader) schema(kind byte) []field {
	elements := structures(r, kind, r.element)
	if r.err != nil {
		return nil
	}
	if len(elements) == 0 || elements[0].typed {
		r.fail("schema", fmt.Sprintf("%d elements, the first no group", len(elements)), "a root and columns")
		return nil
	}
	leaves := make([]field, 0, len(elements)-1)
	rest := elements[1:]
	for i := 0; i < elements[0].children && r.err == nil; i++ {
		rest = r.subtree(rest, nil, "", &leaves)
	}
	if r.err == nil && len(rest) > 0 {
		r.fail("schema", fmt.Sprintf("%d elements that belong to no group", len(rest)), "none")
	}
	if len(leaves) > maxColumns {
		r.fail("schema", fmt.Sprintf("%d columns", len(leaves)), fmt.Sprintf("at most %d", maxColumns))
	}
	return leaves
}

// subtree walks the element at the start of list and its children, appends its leaves, and returns what follows.
func (r *thriftReader) subtree(list []element, path []string, nested string, leaves *[]field) []element {
	if r.err != nil {
		return nil
	}
	if len(list) == 0 {
		r.fail("schema", "fewer elements than its groups have children", "all of them")
		return nil
	}
	e, rest := list[0], list[1:]
	path = append(slices.Clone(path), e.name)
	if len(path) > maxNesting {
		r.fail("schema", fmt.Sprintf("more than %d levels", maxNesting), "fewer")
	}
	if nested == "" && e.repeated {
		nested = "repeated"
	}
	if e.typed {
		e.path = path
		e.nested = nested
		*leaves = append(*leaves, e.field)
		return rest
	}
	if nested == "" {
		nested = "a group"
	}
	for i := 0; i < e.children && r.err == nil; i++ {
		rest = r.subtree(rest, path, nested, leaves)
	}
	return rest
}

// element reads SchemaElement.
func (r *thriftReader) element() element {
	var e element
	named, converted := false, int64(-1)
	r.structure(func(id int, kind byte) {
		switch id {
		case 1:
			e.typed = true
			e.physical = physical(r.integer(kind, "schema: type", 0, 7))
		case 2:
			e.length = int(r.integer(kind, "schema: type_length", 0, math.MaxInt32))
		case 3:
			repetition := r.integer(kind, "schema: repetition_type", 0, 2)
			e.optional, e.repeated = repetition == 1, repetition == 2
		case 4:
			e.name, named = string(r.binary(kind, "schema: name")), true
		case 5:
			e.children = int(r.integer(kind, "schema: num_children", 0, math.MaxInt32))
		case 6:
			converted = r.integer(kind, "schema: converted_type", 0, math.MaxInt32)
		case 7:
			e.scale = int(r.integer(kind, "schema: scale", 0, 1000))
		case 10:
			r.logicalType(kind, &e.field)
		default:
			r.skip(kind)
		}
	})
	if r.err == nil && !named {
		r.fail("schema", "an element without a name", "a name")
	}
	if e.typed && e.children > 0 {
		r.fail("schema", fmt.Sprintf("%q with a type and children", e.name), "one of both")
	}
	if e.physical == fixedBytes && e.typed && (e.length < 1 || e.length > 1<<20) {
		r.fail("schema: type_length", fmt.Sprint(e.length), fmt.Sprintf("1 … %d", 1<<20))
	}
	if e.logical == plainValue && e.other == "" {
		e.convertedType(converted)
	}
	return e
}

// convertedType takes over the older way to say what values mean.
func (f *field) convertedType(id int64) {
	switch id {
	case 0, 4, 19: // UTF8, ENUM, JSON
		f.logical = textValue
	case 5:
		f.logical = decimal
	case 6:
		f.logical = date
	case 7, 8:
		f.logical, f.unit = timeOfDay, [...]string{"ms", "µs"}[id-7]
	case 9, 10:
		f.logical, f.unit = timestamp, [...]string{"ms", "µs"}[id-9]
	case 11, 12, 13, 14:
		f.logical = unsigned
	case 20:
		f.logical, f.other = otherValue, "BSON"
	case 21:
		f.logical, f.other = otherValue, "INTERVAL"
	}
}

// logicalType reads the union LogicalType.
func (r *thriftReader) logicalType(kind byte, f *field) {
	if kind != thriftStruct {
		r.fail("schema: logicalType", fmt.Sprintf("a value of Thrift type %d", kind), "a structure")
		return
	}
	r.structure(func(id int, kind byte) {
		if kind != thriftStruct {
			r.skip(kind)
			return
		}
		switch id {
		case 1, 4, 12: // STRING, ENUM, JSON
			f.logical = textValue
		case 5:
			f.logical = decimal
		case 6:
			f.logical = date
		case 7:
			f.logical = timeOfDay
		case 8:
			f.logical = timestamp
		case 10: // INTEGER, which may be signed
		case 11:
			f.logical = unknownNull
		case 14:
			f.logical = uuid
		case 15:
			f.logical = float16
		default:
			f.logical, f.other = otherValue, fmt.Sprintf("logical type %d", id)
		}
		r.logicalParts(f)
	})
}

// logicalParts reads what a member of the union holds: scale, unit, sign.
func (r *thriftReader) logicalParts(f *field) {
	member := f.logical
	r.structure(func(id int, kind byte) {
		switch {
		case member == decimal && id == 1:
			f.scale = int(r.integer(kind, "schema: scale", 0, 1000))
		case (member == timeOfDay || member == timestamp) && id == 2 && kind == thriftStruct:
			r.structure(func(id int, kind byte) {
				if id >= 1 && id <= 3 {
					f.unit = [...]string{"ms", "µs", "ns"}[id-1]
				}
				r.skip(kind)
			})
		case member == plainValue && id == 2 && (kind == thriftTrue || kind == thriftFalse):
			if !r.bool(kind, "isSigned") {
				f.logical = unsigned
			}
		default:
			r.skip(kind)
		}
	})
}
