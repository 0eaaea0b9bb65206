package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/graph/kcore"
	"github.com/seraph-ml/seraph/run"
)

// settle fills in defaults and returns the budget.
func (f *kcoreFlags) settle() (budget int64, err error) {
	if f.Threads == 0 {
		f.Threads = memory.CPUs()
	}
	switch {
	case f.Threads < 1 || f.Vertices < 0 || f.Vertices >= 1<<31:
		return 0, run.Usagef("--threads %d, --vertices %d: expected 1 or more, and fewer than 2^31", f.Threads, f.Vertices)
	case f.Ranks < 0 || f.Ranks > 1024:
		return 0, run.Usagef("--ranks %d: expected 1 … 1024", f.Ranks)
	case f.Ranks > 0 && f.Engine == kcore.Auto:
		f.Engine = kcore.Ranked
	case f.Ranks > 0 && f.Engine != kcore.Ranked:
		return 0, run.Usagef("--ranks %d: the engine %s has none; leave one of them out", f.Ranks, f.Engine)
	case f.Ranks == 0:
		f.Ranks = 2
	}
	if f.Disk != "" {
		if _, err := memory.ParseDisk(f.Disk); err != nil {
			return 0, run.Usagef("--disk: %w", err)
		}
	}
	for _, path := range f.Paths {
		if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
			return 0, run.Usagef("%s is a pipe; give - and let standard input be it: seraph kcore - < %s", path, path)
		}
	}
	stdin := io.Reader(os.Stdin)
	if slices.Contains(f.Paths, "-") {
		if stdin, err = plainInput(os.Stdin); err != nil {
			return 0, err
		}
	}
	asked := f.IDs
	if f.IDs, f.stdin, err = kcore.KindOfIDs(f.Paths, f.IDs, stdin); err != nil {
		return 0, err
	}
	f.guessed = asked == kcore.AutoIDs && f.IDs == kcore.Texts
	if f.Memory == "" {
		return memory.DefaultBudget()
	}
	if budget, err = memory.ParseSize(f.Memory); err != nil {
		return 0, run.Usagef("--memory: %w", err)
	}
	return budget, nil
}

// plainInput is standard input, which must not be compressed.
func plainInput(stdin io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(stdin, 1<<16)
	head, _ := buffered.Peek(4) // what is wrong with it, its reader will say
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		return nil, run.Usagef("standard input is compressed; unpack it on the way: zcat FILE | seraph kcore -, or zstdcat")
	}
	return buffered, nil
}

// checkFlags says what makes no sense, whatever the graph.
func (c *kcoreVerb) checkFlags() error {
	switch {
	case c.Out == "" && (c.Order || c.K > 0):
		return run.Usagef("--order and --k need --out FILE")
	case c.Edges && c.K <= 0 || c.K < 0:
		return run.Usagef("--edges needs --k K with a K of 1 or more")
	case c.Out != "" && c.K == 0 && !isCoresFile(c.Out):
		return run.Usagef("--out %s: expected a name that ends in .tsv, .npy or .parquet", c.Out)
	case c.K > 0 && isCoresFile(c.Out) && filepath.Ext(c.Out) != ".tsv":
		return run.Usagef("--out %s: with --k it is text; give it another name", c.Out)
	}
	if c.Order || c.Check {
		c.vectors = 1
	}
	if c.Out == "" {
		return nil
	}
	return checkOut(c.Out, c.Paths)
}

func isCoresFile(path string) bool {
	return slices.Contains([]string{".tsv", ".npy", ".parquet"}, filepath.Ext(path))
}

// checkPlanned says what cannot be done with an engine, or with ids that are texts.
func (c *kcoreVerb) checkPlanned(e kcore.Engine) error {
	switch {
	case !e.OnDisk() && c.Resume:
		return run.Usagef("--resume goes on with a graph on disk, and the engine is %s", e)
	case c.IDs == kcore.Texts && filepath.Ext(c.Out) == ".npy" && c.K == 0:
		return run.Usagef("--out %s: the ids are texts, which have no place in npy; write .tsv or .parquet", c.Out)
	}
	return nil
}

// note says what was taken for what.
func (c *kcoreVerb) note(a *app) {
	switch {
	case c.guessed:
		c.progress(a).Infof("note: the ids are taken for texts, as no list begins with two whole numbers below 2^63; --ids int if they are numbers")
	case c.IDs == kcore.Texts:
		c.progress(a).Infof("note: the ids are texts")
	}
}

// coreText says how large the core is that was written.
func (r *kcoreResult) coreText() string {
	if *r.CoreVertices == 0 {
		return fmt.Sprintf("the %d-core is empty", r.K)
	}
	return fmt.Sprintf("%d vertices in the %d-core", *r.CoreVertices, r.K)
}
