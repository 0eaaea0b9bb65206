package language

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/format"
)

// Corpus is a text as character ids, cut into a training and a validation part: the first 90 % of the characters, and the
// others. [Survey] says how large it is, Load brings it into memory.
type Corpus struct {
	Path       string
	Alphabet   []rune // id to character, ascending
	Characters int
	ValBytes   int64 // length in UTF-8 of what the validation part predicts: all its characters but the first

	Train, Val []int32 // nil before Load

	arena *memory.Arena
}

// Survey reads a UTF-8 text, plain or compressed (.gz), keeps nothing of it, and returns what a plan needs to know.
func Survey(path string) (*Corpus, error) {
	c := &Corpus{Path: path}
	seen := make([]bool, utf8.MaxRune+1)
	err := eachCharacter(path, func(r rune, _ int) error {
		seen[r] = true
		c.Characters++
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c.Characters > math.MaxInt32 {
		return nil, format.CorruptAt(path, -1, "text", fmt.Sprintf("%d characters", c.Characters), fmt.Sprintf("at most %d", math.MaxInt32))
	}
	for r, is := range seen {
		if is {
			c.Alphabet = append(c.Alphabet, rune(r))
		}
	}
	return c, nil
}

// Cut is where the validation part begins.
func (c *Corpus) Cut() int { return 9 * c.Characters / 10 }

// Bytes is the memory that Load takes: four bytes a character.
func (c *Corpus) Bytes() int64 { return 4 * int64(c.Characters) }

// Load reads the text as ids. Close gives the memory back.
func (c *Corpus) Load() error {
	var err error
	if c.arena, err = memory.NewArena(c.Bytes()); err != nil {
		return err
	}
	index := make([]int32, utf8.MaxRune+1) // id + 1
	for i, r := range c.Alphabet {
		index[r] = int32(i + 1)
	}
	ids := c.arena.Int32s(0, c.Characters)
	n := 0
	c.ValBytes = 0
	changed := format.CorruptAt(c.Path, -1, "text", "another text", "the one that was there a moment ago").
		WithHint("somebody writes to the file; begin again when that has ended")
	err = eachCharacter(c.Path, func(r rune, width int) error {
		if n == len(ids) || index[r] == 0 {
			return changed
		}
		ids[n] = index[r] - 1
		if n > c.Cut() {
			c.ValBytes += int64(width)
		}
		n++
		return nil
	})
	if err == nil && n < len(ids) {
		err = changed
	}
	if err != nil {
		return errors.Join(err, c.Close())
	}
	c.Train, c.Val = ids[:c.Cut()], ids[c.Cut():]
	return nil
}

// Close gives the memory of a loaded text back.
func (c *Corpus) Close() error {
	c.Train, c.Val = nil, nil
	if c.arena == nil {
		return nil
	}
	return c.arena.Close()
}

// eachCharacter passes on every character of a UTF-8 file with its length in bytes, and ends at the first error.
func eachCharacter(path string, pass func(r rune, width int) error) error {
	s, err := format.OpenStream(path)
	if err != nil {
		return err
	}
	defer s.Close()
	in := bufio.NewReaderSize(s, 64<<10)
	for at := int64(0); ; {
		r, width, err := in.ReadRune()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case r == utf8.RuneError && width == 1:
			in.UnreadRune()
			b, _ := in.ReadByte()
			return format.CorruptAt(path, at, "text", fmt.Sprintf("the byte 0x%02x", b), "UTF-8").WithHint("convert the file to UTF-8")
		}
		if err := pass(r, width); err != nil {
			return err
		}
		at += int64(width)
	}
}

// window copies the block of ids at offset and, one further on, its targets.
func window(ids []int32, offset int, in, targets []int32) {
	copy(in, ids[offset:])
	copy(targets, ids[offset+1:])
}
