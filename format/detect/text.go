package detect

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/seraph-ml/seraph/format"
)

// isText says whether a file begins with printable text in UTF-8 and bears the name of one.
func isText(path string) bool {
	name := format.Uncompressed(path)
	if !slices.Contains([]string{".txt", ".md", ".jsonl", ".json", ".toml", ".html"}, filepath.Ext(name)) {
		return false
	}
	s, err := format.OpenStream(path)
	if err != nil {
		return false
	}
	defer s.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(s, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false
	}
	for at := 0; at < n; {
		r, size := utf8.DecodeRune(head[at:n])
		if r == utf8.RuneError && size == 1 && (n < len(head) || n-at >= utf8.UTFMax) || r == 0 {
			return false
		}
		at += size
	}
	return n > 0
}

// textCounts is what a text comes to.
type textCounts struct {
	bytes, characters, lines int64
	distinct                 map[rune]bool
}

// countText reads a text; what is not UTF-8 is an error.
func countText(path string) (textCounts, error) {
	c := textCounts{distinct: map[rune]bool{}}
	s, err := format.OpenStream(path)
	if err != nil {
		return c, err
	}
	defer s.Close()
	for r := bufio.NewReaderSize(s, 1<<16); ; {
		char, size, err := r.ReadRune()
		if err == io.EOF {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		if char == utf8.RuneError && size == 1 {
			return c, format.CorruptAt(path, c.bytes, "text", "a byte that is not UTF-8", "UTF-8").WithHint("convert it (iconv -t utf-8)")
		}
		c.bytes += int64(size)
		c.characters++
		c.distinct[char] = true
		if char == '\n' {
			c.lines++
		}
	}
}

func describeText(path string) (format.Description, error) {
	c, err := countText(path)
	if err != nil {
		return format.Description{}, err
	}
	d := format.Description{Format: "text", Path: path, Title: fmt.Sprintf("plain text of %d characters", c.characters)}
	d.Add("bytes", c.bytes)
	d.Add("characters", c.characters)
	d.Add("distinct characters", len(c.distinct))
	d.Add("line ends", c.lines)
	return d, nil
}

func checkText(path string) error {
	_, err := countText(path)
	return err
}
