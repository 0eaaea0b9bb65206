package run

import (
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// Interrupts listens for SIGINT and SIGTERM: the first closes the channel it returns, so that the job stops after its step;
// the second calls exit. Stop ends the listening.
func Interrupts(p *Progress, exit func()) (interrupt <-chan struct{}, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	first := make(chan struct{})
	quit := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-signals:
			case <-quit:
				return
			}
			if n > 0 {
				exit()
				return
			}
			p.Warnf("stopping after this step; once more to stop at once")
			close(first)
		}
	})
	return first, func() {
		signal.Stop(signals)
		close(quit)
		wait.Wait()
	}
}
