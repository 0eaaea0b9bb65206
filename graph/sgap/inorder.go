package sgap

import "errors"

// testInOrder scores test nodes, which ascend, in blocks of all rows. With a shelf, whose shards nobody needs meanwhile, the
// next rows are read into one of them while those in the other are scored.
func (w *workshop) testInOrder(score *Score, s *store, test []int32) (err error) {
	bufs, step := []*buffer{w.testRows}, w.sizes.Eval
	if w.shelf != nil {
		if err := w.shelf.wait(); err != nil {
			return err
		}
		bufs, step = w.shelf.buffers(w.testRows)
	}
	blocks := make([]Rows, len(bufs))
	var coming chan error // from who reads; nil when nobody does
	read := func(lo int) {
		if lo >= w.data.Nodes {
			return
		}
		done, i := make(chan error, 1), lo/step%len(bufs)
		coming = done
		go func() { done <- bufs[i].read(s, lo, min(lo+step, w.data.Nodes), w.design.FirstHop(), &blocks[i]) }()
	}
	wait := func() error {
		if coming == nil {
			return nil
		}
		done := coming
		coming = nil
		return <-done
	}
	defer func() { err = errors.Join(err, wait()) }()
	labels := make([]int32, step)
	for lo := 0; lo < w.data.Nodes; lo += step {
		if len(bufs) == 1 || lo == 0 {
			read(lo)
		}
		if err := wait(); err != nil {
			return err
		}
		if len(bufs) > 1 {
			read(lo + step)
		}
		block := &blocks[lo/step%len(bufs)]
		block.Labels = labels[:block.Count]
		for i := range block.Labels {
			block.Labels[i] = -1
		}
		for len(test) > 0 && int(test[0]) < lo+block.Count {
			block.Labels[int(test[0])-lo] = w.data.Labels[test[0]]
			test = test[1:]
		}
		if err := w.addBlock(score, block, lo); err != nil {
			return err
		}
	}
	return nil
}

// addBlock scores a block of rows, the first of which is that of node lo, as many at a time as an evaluation takes.
func (w *workshop) addBlock(score *Score, block *Rows, lo int) error {
	var part Rows
	for at := 0; at < block.Count; at += w.sizes.Eval {
		block.Slice(at, min(at+w.sizes.Eval, block.Count), &part)
		if err := w.addTest(score, &part, func(i int) int { return lo + at + i }); err != nil {
			return err
		}
	}
	return nil
}

// buffers are the memory of the two shards as buffers for rows, and how many they take; what the shards held is forgotten. Rows are
// made as in a buffer like them.
func (s *shelf) buffers(like *buffer) ([]*buffer, int) {
	rows := len(s.shards[0].raw) / s.size
	var list []*buffer
	for i := range s.shards {
		s.shards[i].of = nil
		b := &buffer{layout: s.layout, few: like.few, fold: like.fold}
		at := 0
		for m := range s.layout.matrices() {
			n := rows * s.layout.width(m)
			b.hops = append(b.hops, s.shards[i].floats[at:at+n])
			at += n
		}
		list = append(list, b)
	}
	return list, rows
}
