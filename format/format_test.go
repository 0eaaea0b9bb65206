package format_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/seraph-ml/seraph/format"
)

func TestErrorsSayWhereWhatAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{format.CorruptAt("a", 12, "length", "7", "5"), "a@12: length: found 7, expected 5"},
		{format.CorruptAt("a", 0, "length", "", "5"), "a@0: length: expected 5"},
		{format.CorruptAt("a", -1, "length", "7", "").WithHint("cut it"), "a: length: found 7; cut it"},
		{format.CorruptLine("a", 3, "length", "7", "5").WithCause(io.ErrUnexpectedEOF), "a:3: length: found 7, expected 5: unexpected EOF"},
		{format.CorruptAt("a", -1, "length", "", ""), "a: length"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, expected %q", got, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	corrupt := format.CorruptAt("b", 1, "x", "", "")
	if format.ReadError("a", 0, "x", nil) != nil {
		t.Error("no error became one")
	}
	if err := format.ReadError("a", 0, "x", fmt.Errorf("outer: %w", corrupt)); !errors.Is(err, corrupt) {
		t.Errorf("a CorruptError became %v", err)
	}
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		var got *format.CorruptError
		if err := format.ReadError("a", 5, "x", end); !errors.As(err, &got) || got.Offset != 5 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v became %v", end, err)
		}
	}
	var got *format.CorruptError
	if err := format.ReadError("a", 5, "x", fs.ErrPermission); errors.As(err, &got) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("an I/O error became %v", err)
	}
}
