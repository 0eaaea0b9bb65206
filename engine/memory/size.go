package memory

import (
	"fmt"
	"math/big"
	"strings"
)

// units are the accepted units of a size, in lower case. Binary and decimal ones differ by up to a tenth, so a bare "G" is
// refused rather than guessed.
var units = map[string]int64{
	"": 1, "b": 1,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
}

// ParseSize reads a size in bytes as people write it: "1.5GiB" (GiB = 2^30), "4GB" (GB = 10^9), "300MiB", "123456". Case
// and spaces around the unit do not matter; a fraction of a byte is cut off.
func ParseSize(s string) (int64, error) {
	text := strings.TrimSpace(s)
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(text)
	}
	number, unit := text[:end], strings.TrimSpace(text[end:])
	factor, known := units[strings.ToLower(unit)]
	switch {
	case number == "" || number == "." || strings.Count(number, ".") > 1 || len(number) > 40:
		return 0, fmt.Errorf("size %q: expected a number and a unit, as in 1.5GiB, 300MiB or 4GB", s)
	case !known:
		return 0, fmt.Errorf("size %q: unknown unit %q; write B, KiB, MiB, GiB or TiB (powers of 1024), or KB, MB, GB or TB (powers of 1000)", s, unit)
	}
	value, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fmt.Errorf("size %q: %q is not a number", s, number)
	}
	value.Mul(value, new(big.Rat).SetInt64(factor))
	whole := new(big.Int).Quo(value.Num(), value.Denom())
	if !whole.IsInt64() {
		return 0, fmt.Errorf("size %q: more than %s", s, FormatSize(1<<63-1))
	}
	return whole.Int64(), nil
}

// FormatSize writes a size so that reading it back gives at least as many bytes: "37MiB", "12.5GiB".
func FormatSize(n int64) string {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	switch {
	case n < kib:
		return fmt.Sprintf("%dB", n)
	case n < mib:
		return fmt.Sprintf("%dKiB", (n-1)/kib+1)
	case n < 10*gib:
		return fmt.Sprintf("%dMiB", (n-1)/mib+1)
	}
	tenths := n/gib*10 + (n%gib*10+gib-1)/gib
	if tenths%10 == 0 {
		return fmt.Sprintf("%dGiB", tenths/10)
	}
	return fmt.Sprintf("%d.%dGiB", tenths/10, tenths%10)
}

// roundUp returns the smallest multiple of unit that is at least n.
func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
