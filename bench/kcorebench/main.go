// Command kcorebench is Seraph's side of bench/kcore.py: graphs in memory whose core numbers it computes on request.
//
//	read PATH NODES                  reads the edges into a graph in input order, and another with its vertices permuted
//	run input|permuted THREADS CALLS seconds a decomposition takes, from CSR to core numbers
//	hash input|permuted THREADS      SHA-256 of the core numbers, uint32 little endian
//	edges input|permuted PATH        writes the edges as pairs of int32, u < v
//	parse PATH THREADS CALLS         seconds it takes to parse the text and to keep nothing
//	csr input|permuted PATH          writes what GBBS reads: n, m and bytes as int64, offsets uint64, neighbours uint32
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seraph-ml/seraph/bench/worker"
	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/format"
	"github.com/seraph-ml/seraph/format/edgelist"
	"github.com/seraph-ml/seraph/graph/kcore"
)

func main() {
	b := bench{graphs: map[string]*kcore.Graph{}}
	worker.Serve(b.answer)
}

type bench struct {
	graphs map[string]*kcore.Graph
	core   []int32
}

func (b *bench) answer(words []string) (any, error) {
	if len(words) < 3 {
		return nil, fmt.Errorf("%q: expected a request, what it is of, and how", words)
	}
	if words[0] == "read" {
		return nil, b.read(words[1], words[2])
	}
	if words[0] == "parse" && len(words) == 4 {
		return parse(words[1], words[2], words[3])
	}
	g := b.graphs[words[1]]
	if g == nil {
		return nil, fmt.Errorf("%q: no such graph", words[1])
	}
	switch words[0] {
	case "edges":
		return nil, format.WriteFile(words[2], func(w io.Writer) error { return writeEdges(w, g) })
	case "csr":
		return nil, format.WriteFile(words[2], func(w io.Writer) error { return writeCSR(w, g) })
	}
	threads, err := strconv.Atoi(words[2])
	if err != nil {
		return nil, err
	}
	pool := kernel.NewPool(threads)
	defer pool.Close()
	engine, _ := kcore.Choose(kcore.Auto, threads)
	switch {
	case words[0] == "hash":
		if err := kcore.Decompose(g, b.core, engine, pool); err != nil {
			return nil, err
		}
		sum := sha256.New()
		err := binary.Write(sum, binary.LittleEndian, b.core)
		return hex.EncodeToString(sum.Sum(nil)), err
	case words[0] == "run" && len(words) == 4:
		calls, err := strconv.Atoi(words[3])
		if err != nil {
			return nil, err
		}
		start := time.Now()
		for range calls {
			if err := kcore.Decompose(g, b.core, engine, pool); err != nil {
				return nil, err
			}
		}
		return time.Since(start).Seconds() / float64(calls), nil
	}
	return nil, fmt.Errorf("%q: no such request", words)
}

func parse(path, threads, calls string) (any, error) {
	workers, err := strconv.Atoi(threads)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(calls)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for range n {
		if _, err := edgelist.ReadPairs(path, workers, func(int, []int64) error { return nil }); err != nil {
			return nil, err
		}
	}
	return time.Since(start).Seconds() / float64(n), nil
}

func (b *bench) read(path, nodes string) error {
	n, err := strconv.ParseInt(nodes, 10, 64)
	if err != nil {
		return err
	}
	pool := kernel.NewPool(2)
	defer pool.Close()
	g, err := kcore.Read([]string{path}, kcore.Options{Vertices: n}, pool)
	if err != nil {
		return err
	}
	b.graphs["input"], b.core = g, make([]int32, n)
	to := rand.New(rand.NewPCG(1, 1)).Perm(g.Nodes)
	ids := make([]int64, 0, len(g.Indices))
	eachEdge(g, func(u, v int32) {
		ids = append(ids, int64(to[u]), int64(to[v]))
	})
	b.graphs["permuted"], err = kcore.FromPairs(ids, n, pool)
	return err
}

// eachEdge calls do with every edge, u < v.
func eachEdge(g *kcore.Graph, do func(u, v int32)) {
	for u := range g.Nodes {
		for _, v := range g.Neighbours(u) {
			if int32(u) < v {
				do(int32(u), v)
			}
		}
	}
}

func writeEdges(w io.Writer, g *kcore.Graph) error {
	b := bufio.NewWriterSize(w, 1<<20)
	var err error
	eachEdge(g, func(u, v int32) {
		var pair [8]byte
		binary.LittleEndian.PutUint32(pair[:], uint32(u))
		binary.LittleEndian.PutUint32(pair[4:], uint32(v))
		_, failed := b.Write(pair[:])
		err = errors.Join(err, failed)
	})
	return errors.Join(err, b.Flush())
}

func writeCSR(w io.Writer, g *kcore.Graph) error {
	b := bufio.NewWriterSize(w, 1<<20)
	m := int64(len(g.Indices))
	head := []int64{int64(g.Nodes), m, 8*3 + 8*int64(g.Nodes+1) + 4*m}
	return errors.Join(binary.Write(b, binary.LittleEndian, head), binary.Write(b, binary.LittleEndian, g.Indptr),
		binary.Write(b, binary.LittleEndian, g.Indices), b.Flush())
}
