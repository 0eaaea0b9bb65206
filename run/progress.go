package run

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/seraph-ml/seraph/engine/memory"
	"github.com/seraph-ml/seraph/engine/plan"
)

// Progress shows on stderr how a job comes along, and carries its messages. On a terminal it is a bar that is redrawn in
// place, else a plain line every ten seconds. A nil *Progress shows nothing. Methods may be called from any goroutine.
type Progress struct {
	out   io.Writer
	bar   bool       // draw the bar in place
	level slog.Level // of the messages shown
	quiet bool
	width func() int

	mu     sync.Mutex
	stage  stageState
	drawn  int // characters of the bar on the screen
	budget int64
}

// stageState is what is known of the stage that runs.
type stageState struct {
	name, unit  string
	total, done int
	first       int // done when the stage began here: a resumed one does not begin at 0
	began       time.Time
	figures     []Metric
}

// NewProgress returns progress on out. Quiet shows warnings and errors alone; level is the least of the messages shown.
func NewProgress(out io.Writer, quiet bool, level slog.Level) *Progress {
	p := &Progress{out: out, quiet: quiet, level: level, width: func() int { return 80 }}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = true
		p.width = func() int {
			w, _, err := term.GetSize(int(f.Fd()))
			if err != nil || w <= 0 {
				return 80
			}
			return w
		}
	}
	return p
}

// How often progress is shown.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 10 * time.Second
)

// Start begins to show progress, beside the budget in bytes, until the function it returns is called.
func (p *Progress) Start(budget int64) (end func()) {
	if p == nil || p.quiet || p.level > slog.LevelInfo {
		return func() {}
	}
	every := lineEvery
	if p.bar {
		every = barEvery
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	p.mu.Lock()
	p.budget = budget
	p.mu.Unlock()
	go func() {
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.mu.Lock()
				p.draw(time.Now())
				p.mu.Unlock()
			case <-stop:
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
		p.mu.Lock()
		p.clear()
		p.stage = stageState{}
		p.mu.Unlock()
	}
}

// Begin begins a stage of so many units; 0: nobody knows.
func (p *Progress) Begin(name, unit string, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage = stageState{name: name, unit: unit, total: total, first: -1, began: time.Now(), figures: p.stage.figures[:0]}
}

// Advance says how much of the stage is done.
func (p *Progress) Advance(done int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stage.first < 0 {
		p.stage.first = max(0, done-1)
	}
	p.stage.done = done
}

// show keeps the figures to show.
func (p *Progress) show(figures []Metric) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage.figures = append(p.stage.figures[:0], figures...)
}

// draw shows the state of the stage.
func (p *Progress) draw(now time.Time) {
	if p.stage.name == "" {
		return
	}
	rss, _ := memory.RSS() // 0 where it cannot be measured
	line := p.stage.line(now, rss, p.budget, p.bar)
	if !p.bar {
		fmt.Fprintln(p.out, line)
		return
	}
	line = clip(line, p.width()-1)
	n := len([]rune(line))
	fmt.Fprint(p.out, "\r"+line+strings.Repeat(" ", max(0, p.drawn-n)))
	p.drawn = n
}

func clip(s string, width int) string {
	r := []rune(s)
	if len(r) <= width || width < 1 {
		return s
	}
	return string(r[:width-1]) + "…"
}

// clear takes the bar off the screen.
func (p *Progress) clear() {
	if p.drawn > 0 {
		fmt.Fprint(p.out, "\r"+strings.Repeat(" ", p.drawn)+"\r")
		p.drawn = 0
	}
}

// line writes the state: "train ━━━━━──── 1200/2000 steps, 24.5 steps/s, 33 s left, loss 1.92, memory 210MiB of 4GiB".
func (s *stageState) line(now time.Time, rss, budget int64, bar bool) string {
	var parts []string
	head := s.name
	if s.total > 0 {
		if bar {
			const width = 24
			full := min(width, s.done*width/s.total)
			head += " " + strings.Repeat("━", full) + strings.Repeat("─", width-full)
		}
		head += fmt.Sprintf(" %d/%d %s", s.done, s.total, s.unit)
	} else if s.done > 0 {
		head += fmt.Sprintf(" %d %s", s.done, s.unit)
	}
	parts = append(parts, head)
	elapsed := now.Sub(s.began).Seconds()
	if steps := s.done - s.first; s.first >= 0 && steps > 0 && elapsed > 0 {
		rate := float64(steps) / elapsed
		parts = append(parts, fmt.Sprintf("%.3g %s/s", rate, s.unit))
		if s.total > s.done {
			parts = append(parts, plan.FormatSeconds(float64(s.total-s.done)/rate)+" left")
		}
	}
	if len(s.figures) > 0 {
		parts = append(parts, formatMetrics(s.figures))
	}
	if budget > 0 && rss > 0 {
		parts = append(parts, fmt.Sprintf("memory %s of %s", memory.FormatSize(rss), memory.FormatSize(budget)))
	}
	return strings.Join(parts, ", ")
}

// formatMetrics writes "test_accuracy 0.8123, val_loss 1.95".
func formatMetrics(metrics []Metric) string {
	parts := make([]string, len(metrics))
	for i, m := range metrics {
		parts[i] = fmt.Sprintf("%s %.5g", m.Name, m.Value)
	}
	return strings.Join(parts, ", ")
}

// message prints a line, taking the bar off the screen first; it is drawn again at its time.
func (p *Progress) message(level slog.Level, prefix, format string, args []any) {
	if p == nil || level < p.level || p.quiet && level < slog.LevelWarn {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, prefix+format+"\n", args...)
}

// Debugf says what only who looks for a fault wants to know.
func (p *Progress) Debugf(format string, args ...any) {
	p.message(slog.LevelDebug, "debug: ", format, args)
}

// Infof says what happens.
func (p *Progress) Infof(format string, args ...any) { p.message(slog.LevelInfo, "", format, args) }

// Warnf says what needs attention.
func (p *Progress) Warnf(format string, args ...any) {
	p.message(slog.LevelWarn, "warning: ", format, args)
}
