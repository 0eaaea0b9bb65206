package run

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLineOfProgress(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		want   string
		stage  stageState
		budget int64
		bar    bool
	}{
		{want: "train 1200/2000 steps, 24 steps/s, 33 s left, loss 1.92, memory 210MiB of 4096MiB", budget: 4 << 30,
			stage: stageState{name: "train", unit: "steps", total: 2000, done: 1200, figures: []Metric{{"loss", 1.92}}}},
		{want: "train ━━━━━━━━━━━━━━────────── 1200/2000 steps, 24 steps/s, 33 s left", bar: true,
			stage: stageState{name: "train", unit: "steps", total: 2000, done: 1200}},
		// A resumed stage is as fast as what was done since.
		{want: "train 1200/2000 steps, 4 steps/s, 3 min 20 s left", stage: stageState{name: "train", unit: "steps", total: 2000, done: 1200, first: 1000}},
		{want: "read 3 files, 0.06 files/s", stage: stageState{name: "read", unit: "files", done: 3}},
		{want: "read", stage: stageState{name: "read", first: -1}},
		{want: "propagate 0/3 hops", stage: stageState{name: "propagate", unit: "hops", total: 3, first: -1}},
		{want: "train 10/10 epochs, 0.2 epochs/s", stage: stageState{name: "train", unit: "epochs", total: 10, done: 10}},
	} {
		c.stage.began = began
		if got := c.stage.line(began.Add(50*time.Second), 210<<20, c.budget, c.bar); got != c.want {
			t.Errorf("%q\nexpected %q", got, c.want)
		}
	}
}

func TestMessagesTakeTheBarOffTheScreen(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, false, slog.LevelInfo)
	p.bar, p.width = true, func() int { return 30 }
	p.Begin("train", "steps", 100)
	p.Advance(50)
	p.draw(p.stage.began)
	drawn := out.String()
	if n := len([]rune(drawn)); !strings.HasPrefix(drawn, "\rtrain ━━━━━━━━━━━━") || n > 1+29 {
		t.Errorf("bar %q of %d characters, the terminal has 30", drawn, n)
	}
	out.Reset()
	p.Debugf("unseen")
	p.Infof("seed %d", 3)
	if got, want := out.String(), "\r"+strings.Repeat(" ", 29)+"\rseed 3\n"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	out.Reset()
	p.Warnf("look")
	if got := out.String(); got != "warning: look\n" {
		t.Errorf("%q", got)
	}
}

func TestQuietAndLevels(t *testing.T) {
	for _, c := range []struct {
		quiet bool
		level slog.Level
		want  string
	}{
		{false, slog.LevelDebug, "debug: d\ni\nwarning: w\n"},
		{false, slog.LevelInfo, "i\nwarning: w\n"},
		{true, slog.LevelInfo, "warning: w\n"},
		{false, slog.LevelWarn, "warning: w\n"},
		{false, slog.LevelError, ""},
	} {
		var out bytes.Buffer
		p := NewProgress(&out, c.quiet, c.level)
		p.Debugf("d")
		p.Infof("i")
		p.Warnf("w")
		if out.String() != c.want {
			t.Errorf("quiet %v, level %v: %q, expected %q", c.quiet, c.level, out.String(), c.want)
		}
	}
}

func TestNoProgressShowsNothing(t *testing.T) {
	var p *Progress
	end := p.Start(1)
	p.Begin("train", "steps", 1)
	p.Advance(1)
	p.show(nil)
	p.Infof("x")
	end()
}
