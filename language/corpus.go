package language

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// Corpus is a text as character ids, cut into a training and a validation part.
type Corpus struct {
	Alphabet   []rune  // id to character, ascending
	Train, Val []int32 // the first 90 % of the characters, and the others
	ValBytes   int     // length of the validation part's targets in UTF-8: all its characters but the first
}

// ReadCorpus reads a UTF-8 text file. Memory: the text, and 4 bytes a character.
func ReadCorpus(path string) (*Corpus, error) {
	text, err := format.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return newCorpus(path, text)
}

// CorpusBytes is the most memory that ReadCorpus takes for a file of the given size.
func CorpusBytes(size int64) int64 { return 5*size + 1<<20 }

func newCorpus(path string, text []byte) (*Corpus, error) {
	seen := map[rune]int{}
	n := 0
	for at := 0; at < len(text); {
		r, width := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && width < 2 {
			return nil, format.CorruptAt(path, int64(at), "text", fmt.Sprintf("the byte 0x%02x", text[at]), "UTF-8").
				WithHint("convert the file to UTF-8")
		}
		seen[r]++
		at += width
		n++
	}
	if n > math.MaxInt32 {
		return nil, format.CorruptAt(path, -1, "text", fmt.Sprintf("%d characters", n), fmt.Sprintf("at most %d", math.MaxInt32))
	}
	c := &Corpus{}
	for r := range seen {
		c.Alphabet = append(c.Alphabet, r)
	}
	slices.Sort(c.Alphabet)
	index := map[rune]int32{}
	for i, r := range c.Alphabet {
		index[r] = int32(i)
	}
	ids := make([]int32, 0, n)
	cut := 9 * n / 10
	for at := 0; at < len(text); {
		r, width := utf8.DecodeRune(text[at:])
		at += width
		ids = append(ids, index[r])
		if len(ids) > cut+1 {
			c.ValBytes += width
		}
	}
	c.Train, c.Val = ids[:cut], ids[cut:]
	return c, nil
}

// window copies the block of ids at offset and, one further on, its targets.
func window(ids []int32, offset int, in, targets []int32) {
	copy(in, ids[offset:])
	copy(targets, ids[offset+1:])
}

// Encode returns the ids of a text, or the first character that the alphabet lacks.
func Encode(alphabet []rune, text string) ([]int32, error) {
	var ids []int32
	for at, r := range text {
		i, ok := slices.BinarySearch(alphabet, r)
		if !ok {
			return nil, fmt.Errorf("character %q at byte %d does not occur in the text that the model was trained on", r, at)
		}
		ids = append(ids, int32(i))
	}
	return ids, nil
}
