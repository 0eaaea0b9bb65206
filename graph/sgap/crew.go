package sgap

import (
	"fmt"
	"sync"

	"github.com/seraph-ml/seraph/engine/kernel"
	"github.com/seraph-ml/seraph/graph/search"
	"github.com/seraph-ml/seraph/run"
)

// workers is how many designs are trained at once, and with how many threads each.
func workers(job *run.Job) (count, threads int) {
	count = min(job.Threads, job.Int("parallel"))
	return count, max(1, job.Threads/count)
}

// crew is workers that try designs.
type crew struct {
	parallel int // most designs in work
	tasks    chan task
	outcomes chan outcome
	stop     chan struct{}
	wait     sync.WaitGroup
}

// task is a design on its way to a worker, to be trained on the first seeds of the job.
type task struct {
	number int
	design search.Design
	seeds  int
}

// outcome is what a worker gives back.
type outcome struct {
	task  task
	tried tried
	err   error
}

// hire starts the workers.
func (s *designSearch) hire() *crew {
	count, threads := workers(s.job)
	c := &crew{parallel: s.job.Int("parallel"), stop: make(chan struct{})}
	c.tasks, c.outcomes = make(chan task, c.parallel), make(chan outcome, c.parallel)
	for range count {
		c.wait.Go(func() {
			pool := kernel.NewPool(threads)
			defer pool.Close()
			for t := range c.tasks {
				e, err := s.try(t, pool, c.stop)
				c.outcomes <- outcome{t, e, err}
			}
		})
	}
	return c
}

// dismiss ends the workers, which give up what they are at.
func (c *crew) dismiss() {
	close(c.stop)
	close(c.tasks)
	c.wait.Wait()
}

// do has the workers try what next names, and tells what came of it in the order in which it was named. Next is asked as often as
// no more than parallel designs are in work or not told; so what it sees depends neither on how many workers there are nor on
// who trains faster. It names no design when there is none left.
func (c *crew) do(next func() (*task, error), tell func(tried) error) error {
	waiting := map[int]tried{}
	named, told := 0, 0
	for {
		for named < told+c.parallel {
			t, err := next()
			if err != nil {
				return err
			}
			if t == nil {
				break
			}
			t.number = named
			c.tasks <- *t
			named++
		}
		if told == named {
			return nil
		}
		for _, is := waiting[told]; !is; _, is = waiting[told] {
			o := <-c.outcomes
			if o.err != nil {
				return fmt.Errorf("design %s: %w", o.task.design, o.err)
			}
			waiting[o.task.number] = o.tried
		}
		if err := tell(waiting[told]); err != nil {
			return err
		}
		delete(waiting, told)
		told++
	}
}
