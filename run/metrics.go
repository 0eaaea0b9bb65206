package run

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
)

const metricsName = "metrics.jsonl"

// Metric is a number with a name: "val_loss", "test_accuracy".
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// metricsLog writes metrics.jsonl: {"step":12,"loss":0.25} a line, a value that is not finite as null. It holds no times, so that
// an interrupted and resumed run has the same bytes as one that was not.
type metricsLog struct {
	file    *os.File
	events  *eventLog // the same for TensorBoard; nil for none
	pending []byte    // lines not yet written
	written time.Time
}

// openMetrics opens a metrics.jsonl and cuts it off behind the last line of step, or of none where step is 0.
func openMetrics(path string, step int) (*metricsLog, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("write metrics: %w", err)
	}
	keep := int64(0)
	if step > 0 {
		keep, err = metricsUpTo(path, step)
	}
	if err == nil {
		err = f.Truncate(keep)
	}
	if err == nil {
		_, err = f.Seek(keep, 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write metrics: %w", err)
	}
	return &metricsLog{file: f, written: time.Now()}, nil
}

// metricsUpTo returns how many bytes the lines up to and including those of step take. What cannot be read ends them.
func metricsUpTo(path string, step int) (int64, error) {
	keep := int64(0)
	err := eachLine(path, func(line []byte) bool {
		number := math.Inf(1)
		ok := parseMetrics(line, func(name []byte, x float64) {
			if string(name) == "step" {
				number = x
			}
		})
		if !ok || number > float64(step) {
			return false
		}
		keep += int64(len(line))
		return true
	})
	return keep, err
}

// eachLine calls yield with the lines of a file, their ends included, until it returns false. A last line without its end is none.
func eachLine(path string, yield func(line []byte) bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	for {
		line, err := r.ReadSlice('\n')
		if err == io.EOF || errors.Is(err, bufio.ErrBufferFull) { // a line that long is not ours
			return nil
		}
		if err != nil {
			return err
		}
		if !yield(line) {
			return nil
		}
	}
}

// parseMetrics calls each with the names and numbers of a line as add writes it; null is NaN. It is false where the line is
// another.
func parseMetrics(line []byte, each func(name []byte, x float64)) bool {
	rest, begins := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("{"))
	rest, ends := bytes.CutSuffix(rest, []byte("}"))
	if !begins || !ends {
		return false
	}
	for len(rest) > 0 {
		name, value, ok := bytes.Cut(rest, []byte(`":`))
		if !ok || len(name) == 0 || name[0] != '"' {
			return false
		}
		value, rest, _ = bytes.Cut(value, []byte(","))
		x := math.NaN()
		if string(value) != "null" {
			var err error
			if x, err = strconv.ParseFloat(string(value), 64); err != nil {
				return false
			}
		}
		each(name[1:], x)
	}
	return true
}

// add appends a line under a key ("step", "seed"). It reaches the file within a second of the next one, at a checkpoint, or at the end.
func (m *metricsLog) add(key string, number int64, metrics []Metric) error {
	m.pending = append(m.pending, `{"`...)
	m.pending = append(m.pending, key...)
	m.pending = append(m.pending, `":`...)
	m.pending = strconv.AppendInt(m.pending, number, 10)
	for i := range metrics {
		m.pending = append(m.pending, ',')
		m.pending = strconv.AppendQuote(m.pending, metrics[i].Name)
		m.pending = append(m.pending, ':')
		m.pending = appendNumber(m.pending, metrics[i].Value)
	}
	m.pending = append(m.pending, "}\n"...)
	now := time.Now()
	if m.events != nil {
		m.events.add(now, number, metrics)
	}
	if len(m.pending) < 1<<15 && now.Sub(m.written) < time.Second {
		return nil
	}
	return m.flush()
}

// appendNumber appends a JSON number that reads back as the same float64, or null.
func appendNumber(b []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}

func (m *metricsLog) flush() error {
	_, err := m.file.Write(m.pending)
	m.pending = m.pending[:0]
	m.written = time.Now()
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	if m.events != nil {
		return m.events.flush()
	}
	return nil
}

// sync makes sure that a checkpoint never knows more than the metrics beside it.
func (m *metricsLog) sync() error { return errors.Join(m.flush(), m.file.Sync()) }

func (m *metricsLog) Close() error {
	err := errors.Join(m.flush(), m.file.Close())
	if m.events != nil {
		err = errors.Join(err, m.events.Close())
	}
	return err
}
