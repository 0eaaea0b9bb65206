package sgap

import (
	"math"

	"github.com/seraph-ml/seraph/format/table"
)

// field says how a column of a table becomes features: how many, and what fills those of a row.
func field(c *table.Column, rows int) (width int, fill func(row int, dst []float32)) {
	if c.Kind == table.Text {
		return len(c.Values), func(row int, dst []float32) {
			if code := c.Codes[row]; code >= 0 {
				dst[code] = 1
			}
		}
	}
	value := func(row int) float64 {
		switch {
		case c.IsMissing(row):
			return math.NaN()
		case c.Kind == table.Int:
			return float64(c.Ints[row])
		case c.Kind == table.Float32:
			return float64(c.Float32s[row])
		}
		return c.Float64s[row]
	}
	var sum, squares, n float64
	for row := range rows {
		if x := value(row); !math.IsNaN(x) {
			sum += x
			n++
		}
	}
	mean := sum / max(n, 1)
	for row := range rows {
		if x := value(row); !math.IsNaN(x) {
			squares += (x - mean) * (x - mean)
		}
	}
	deviation := math.Sqrt(squares / max(n, 1))
	return 1, func(row int, dst []float32) {
		if x := value(row); !math.IsNaN(x) && deviation > 0 {
			dst[0] = float32((x - mean) / deviation)
		}
	}
}
