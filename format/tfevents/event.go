package tfevents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Event is one record of a file. At most one of Version, Values and Start says something.
type Event struct {
	Wall    float64 // seconds since 1970
	Step    int64
	Version string // of the file: "brain.Event:2"
	Values  []Value
	Start   bool // a session starts at Step: what was recorded of later steps is void
}

// Value is a scalar, a text, or something else that has a tag.
type Value struct {
	Tag    string
	Kind   string // "scalar", "text", or the plugin that understands it, "" where nothing says
	Scalar float32
	Text   string
}

// Wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// message appends the fields of a message.
type message []byte

func (m message) key(field, wire int) message {
	return binary.AppendUvarint(m, uint64(field<<3|wire))
}

func (m message) varint(field int, v int64) message {
	return binary.AppendUvarint(m.key(field, wireVarint), uint64(v))
}

func (m message) double(field int, v float64) message {
	return binary.LittleEndian.AppendUint64(m.key(field, wireFixed64), math.Float64bits(v))
}

func (m message) float(field int, v float32) message {
	return binary.LittleEndian.AppendUint32(m.key(field, wireFixed32), math.Float32bits(v))
}

func (m message) bytes(field int, b []byte) message {
	m = binary.AppendUvarint(m.key(field, wireBytes), uint64(len(b)))
	return append(m, b...)
}

func (m message) text(field int, s string) message { return m.bytes(field, []byte(s)) }

// newEvent begins an event.
func newEvent(wall time.Time, step int64) message {
	m := message(nil).double(1, seconds(wall))
	if step == 0 { // as in every proto3 message, what is zero is left out
		return m
	}
	return m.varint(2, step)
}

func seconds(wall time.Time) float64 { return float64(wall.UnixMicro()) / 1e6 }

// textValue is Summary.Value with a text, as TensorBoard's text plugin takes it: a tensor of one string.
func textValue(tag, text string) message {
	plugin := message(nil).text(1, "text")                                                             // PluginData.plugin_name
	metadata := message(nil).bytes(1, plugin)                                                          // SummaryMetadata.plugin_data
	shape := message(nil).bytes(2, message(nil).varint(1, 1))                                          // TensorShapeProto.dim: size 1
	tensor := message(nil).varint(1, 7 /* DT_STRING */).bytes(2, shape).text(8 /* string_val */, text) // TensorProto
	return message(nil).text(1, tag).bytes(8, tensor).bytes(9, metadata)                               // Value.tag, tensor, metadata
}

// fields calls each with the fields of a message: number is that of fixed and varint fields, content that of bytes.
func fields(m []byte, each func(field int, wire int, number uint64, content []byte) error) error {
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29-1 {
			return errors.New("a key that is none")
		}
		m = m[n:]
		var number uint64
		var content []byte
		switch wire := int(key & 7); wire {
		case wireVarint, wireBytes:
			if number, n = binary.Uvarint(m); n <= 0 {
				return fmt.Errorf("field %d: %w", key>>3, io.ErrUnexpectedEOF)
			}
			m = m[n:]
			if wire == wireVarint {
				break
			}
			if number > uint64(len(m)) {
				return fmt.Errorf("field %d: %d bytes where %d are left", key>>3, number, len(m))
			}
			content, m = m[:number:number], m[number:]
		case wireFixed64, wireFixed32:
			size := 8
			if wire == wireFixed32 {
				size = 4
			}
			if len(m) < size {
				return fmt.Errorf("field %d: %w", key>>3, io.ErrUnexpectedEOF)
			}
			for i, b := range m[:size] {
				number |= uint64(b) << (8 * i)
			}
			m = m[size:]
		default:
			return fmt.Errorf("field %d: wire type %d", key>>3, wire)
		}
		if err := each(int(key>>3), int(key&7), number, content); err != nil {
			return err
		}
	}
	return nil
}

// parseEvent reads Event. Fields that are not known are passed over, and so are those of another type than expected.
func parseEvent(m []byte) (Event, error) {
	var e Event
	err := fields(m, func(field, wire int, number uint64, content []byte) error {
		switch {
		case field == 1 && wire == wireFixed64:
			e.Wall = math.Float64frombits(number)
		case field == 2 && wire == wireVarint:
			e.Step = int64(number)
		case field == 3 && wire == wireBytes:
			e.Version = string(content)
		case field == 5 && wire == wireBytes:
			return e.parseSummary(content)
		case field == 7 && wire == wireBytes: // SessionLog
			return fields(content, func(field, wire int, number uint64, _ []byte) error {
				e.Start = e.Start || field == 1 && wire == wireVarint && number == 1
				return nil
			})
		}
		return nil
	})
	return e, err
}

// parseSummary reads Summary: a list of values.
func (e *Event) parseSummary(m []byte) error {
	return fields(m, func(field, wire int, _ uint64, content []byte) error {
		if field != 1 || wire != wireBytes {
			return nil
		}
		v, err := parseValue(content)
		e.Values = append(e.Values, v)
		return err
	})
}

// parseValue reads Summary.Value.
func parseValue(m []byte) (Value, error) {
	var v Value
	var tensor []byte
	err := fields(m, func(field, wire int, number uint64, content []byte) error {
		switch {
		case field == 1 && wire == wireBytes:
			v.Tag = string(content)
		case field == 2 && wire == wireFixed32:
			v.Kind, v.Scalar = "scalar", math.Float32frombits(uint32(number))
		case field == 8 && wire == wireBytes:
			tensor = content
		case field == 9 && wire == wireBytes:
			return fields(content, func(field, wire int, _ uint64, content []byte) error {
				if field != 1 || wire != wireBytes {
					return nil
				}
				return fields(content, func(field, wire int, _ uint64, content []byte) error {
					if field == 1 && wire == wireBytes {
						v.Kind = pluginKind(string(content))
					}
					return nil
				})
			})
		}
		return nil
	})
	if err == nil && tensor != nil {
		err = v.parseTensor(tensor)
	}
	return v, err
}

// pluginKind is the kind of value that a plugin understands.
func pluginKind(plugin string) string {
	if plugin == "scalars" {
		return "scalar"
	}
	return plugin
}

// parseTensor reads TensorProto as far as scalars and text need it: newer writers store scalars so, too.
func (v *Value) parseTensor(m []byte) error {
	return fields(m, func(field, wire int, number uint64, content []byte) error {
		switch {
		case field == 4 && wire == wireBytes && len(content) == 4: // tensor_content
			v.Scalar = math.Float32frombits(binary.LittleEndian.Uint32(content))
		case field == 5 && wire == wireBytes && len(content) == 4, field == 5 && wire == wireFixed32: // float_val, packed or not
			if wire == wireBytes {
				number = uint64(binary.LittleEndian.Uint32(content))
			}
			v.Scalar = math.Float32frombits(uint32(number))
		case field == 8 && wire == wireBytes:
			v.Text = string(content)
		}
		return nil
	})
}
