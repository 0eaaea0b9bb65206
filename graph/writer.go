package graph

// writer writes one block of a hop to disk while the next is computed.
type writer struct {
	busy *tileWrite // nil when there is nothing to wait for
	done chan error
}

// start waits for the block before and begins to write this one.
func (w *writer) start(t *tileWrite) error {
	if err := w.wait(); err != nil {
		return err
	}
	w.busy, w.done = t, make(chan error, 1)
	go func() { w.done <- t.run() }()
	return nil
}

// wait returns when nothing is being written any more.
func (w *writer) wait() error {
	if w.busy == nil {
		return nil
	}
	w.busy = nil
	return <-w.done
}

// writing says whether the strip is being written.
func (w *writer) writing(s strip) bool {
	return w.busy != nil && &w.busy.from.data[0] == &s.data[0]
}

// tileWrite is the writing of the block of columns that begins at lo.
type tileWrite struct {
	to      *tiles
	from    strip
	pick    []int32 // the rows that are written; nil = all
	lo      int
	staging staging // for some tiles, where rows are picked
}

func (t *tileWrite) run() error {
	w := t.to.blockWidth(t.lo)
	if t.pick == nil {
		return t.to.writeTiles(0, t.lo, t.from.raw[:4*padRows(t.to.rows)*w])
	}
	step := len(t.staging.floats) / w / shardRows * shardRows
	for first := 0; first < t.to.rows; first += step {
		pick := t.pick[first:min(first+step, t.to.rows)]
		rows := pickRows{dst: strip{data: t.staging.floats, stride: w}, src: t.from, pick: pick, width: w}
		rows.Do(0, 0, len(pick))
		if err := t.to.writeTiles(first/shardRows, t.lo, t.staging.raw[:4*padRows(len(pick))*w]); err != nil {
			return err
		}
	}
	return nil
}
