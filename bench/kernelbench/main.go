// Command kernelbench is Seraph's side of bench/kernels.py: a warm process that times kernels on request. It answers each
// line of its input with one line, the seconds that one call took, or "error: …". Requests, where calls is how often to
// call after one call that is not counted:
//
//	level                                      the name of the level whose kernels run
//	matmul f32|bf16 M N K threads calls        a product of M×K and K×N
//	spmm FOLDER WIDTH threads calls            a CSR matrix (files indptr, indices, values) times a dense one of WIDTH columns
//	adamw N threads calls                      a step on N parameters
//	softmax|layernorm ROWS COLS threads calls
package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/bench/worker"
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/engine/memory"
)

func main() {
	var b bench
	worker.Serve(b.answer)
}

// bench keeps what the last request used, as requests for the same case follow each other.
type bench struct {
	request string // all but the calls
	run     func()
	arena   *memory.Arena
	pool    *kernel.Pool
}

// answer is a level's name, or the seconds of a call.
func (b *bench) answer(words []string) (any, error) {
	if len(words) == 1 && words[0] == "level" {
		return kernel.ActiveLevel().String(), kernel.LevelError()
	}
	if len(words) < 4 {
		return nil, fmt.Errorf("request %q is not known", strings.Join(words, " "))
	}
	last := len(words) - 1
	calls, err := positive(words[last])
	if err != nil {
		return nil, err
	}
	if request := strings.Join(words[:last], " "); request != b.request {
		if err := b.prepare(words[:last]); err != nil {
			return nil, fmt.Errorf("%s: %w", request, err)
		}
		b.request = request
	}
	b.run()
	start := time.Now()
	for range calls {
		b.run()
	}
	return time.Since(start).Seconds() / float64(calls), nil
}

// prepare builds the case of a request, the last word of which is the number of threads.
func (b *bench) prepare(words []string) error {
	b.close()
	last := len(words) - 1
	threads, err := positive(words[last])
	if err != nil {
		return err
	}
	c, err := build(words[:last])
	if err != nil {
		return err
	}
	b.pool, b.arena = kernel.NewPool(threads), c.arena
	b.run = func() { c.kernel.Run(b.pool) }
	return c.kernel.Check()
}

// close gives back what the last request used.
func (b *bench) close() {
	b.pool.Close()
	if b.arena != nil {
		b.arena.Close()
	}
	*b = bench{}
}

func positive(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no positive number", word)
	}
	return n, nil
}
