package table

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// missingMarks are what programs write for a number that is not there, in lower case.
var missingMarks = map[string]bool{"na": true, "n/a": true, "#n/a": true, "nan": true, "-nan": true, "null": true, "none": true, "nil": true, "?": true}

// isMissingMark says whether a cell that is not empty stands for a missing number.
func isMissingMark(cell []byte) bool {
	cell = bytes.TrimSpace(cell)
	return len(cell) <= 4 && missingMarks[strings.ToLower(string(cell))]
}

// parseInt reads a whole number as programs write it; blanks around it do not matter.
func parseInt(cell []byte) (int64, bool) {
	cell = bytes.TrimSpace(cell)
	digits := cell
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var v uint64 // below 10^19 < 2^64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = 10*v + uint64(c-'0')
	}
	switch {
	case cell[0] == '-' && v <= 1<<63:
		return -int64(v), true
	case cell[0] != '-' && v <= math.MaxInt64:
		return int64(v), true
	}
	return 0, false
}

// parseNumber reads a number and says which kind it is: Int, Float64, or Text where it is none. A whole number beyond int64
// is text: it is an identifier, which a float64 would round.
func parseNumber(cell []byte) (float64, Kind) {
	if v, ok := parseInt(cell); ok {
		return float64(v), Int
	}
	v, ok := parseFloat(cell)
	if !ok {
		return 0, Text
	}
	return v, Float64
}

// parseFloat reads a decimal number with a point or an exponent, or an infinity.
func parseFloat(cell []byte) (float64, bool) {
	cell = bytes.TrimSpace(cell)
	if len(cell) == 0 || len(cell) > 400 {
		return 0, false
	}
	fraction := false
	for _, c := range cell {
		switch {
		case c >= '0' && c <= '9', c == '+', c == '-':
		case c == '.', c == 'e', c == 'E':
			fraction = true
		default:
			return parseInf(cell)
		}
	}
	if !fraction {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	return v, err == nil
}

func parseInf(cell []byte) (float64, bool) {
	sign := 1
	digits := cell
	switch cell[0] {
	case '-':
		sign, digits = -1, cell[1:]
	case '+':
		digits = cell[1:]
	}
	if bytes.EqualFold(digits, []byte("inf")) || bytes.EqualFold(digits, []byte("infinity")) {
		return math.Inf(sign), true
	}
	return 0, false
}
