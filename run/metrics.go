package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	keep := int64(0)
	for line := range bytes.Lines(text) {
		var head struct {
			Step *int `json:"step"`
		}
		if line[len(line)-1] != '\n' || json.Unmarshal(line, &head) != nil || head.Step == nil || *head.Step > step {
			break
		}
		keep += int64(len(line))
	}
	return keep, nil
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

// curve is one metric of a metrics.jsonl over its steps.
type curve struct {
	name  string
	steps []float64
	value []float64
}

// readMetrics reads a metrics.jsonl as one curve a metric, in the order of first appearance. A missing file has none; the
// reading ends where a line cannot be read.
func readMetrics(path string) ([]*curve, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	var curves []*curve
	place := map[string]*curve{}
	for line := range bytes.Lines(text) {
		entries, err := orderedNumbers(line)
		if err != nil || len(entries) == 0 {
			break
		}
		for _, m := range entries[1:] {
			c := place[m.Name]
			if c == nil {
				c = &curve{name: m.Name}
				place[m.Name] = c
				curves = append(curves, c)
			}
			c.steps = append(c.steps, entries[0].Value)
			c.value = append(c.value, m.Value)
		}
	}
	return curves, nil
}

// orderedNumbers reads an object of numbers in its order; null is NaN.
func orderedNumbers(line []byte) ([]Metric, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("metrics: found %v, expected an object (%w)", t, err)
	}
	var list []Metric
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value := math.NaN()
		var number *float64
		if err := d.Decode(&number); err != nil {
			return nil, err
		}
		if number != nil {
			value = *number
		}
		list = append(list, Metric{key.(string), value})
	}
	return list, nil
}
