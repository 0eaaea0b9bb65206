package run_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seraph-ml/seraph/run"
)

// childOptions is the variable that makes this test binary train a walk instead of running tests.
const childOptions = "RUN_TEST_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childOptions); text != "" {
		os.Exit(child(text))
	}
	os.Exit(m.Run())
}

// childSettings are the options of a child.
type childSettings struct {
	Flags  map[string]string
	Set    []string
	Out    string
	Resume bool
}

// child trains a walk as the command line would, and prints each step, so that the parent knows when it runs.
func child(text string) int {
	var c childSettings
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	o := run.Options{Sources: run.Sources{Flags: c.Flags, Set: c.Set}, Out: c.Out, Resume: c.Resume}
	o.Progress = run.NewProgress(os.Stderr, false, slog.LevelInfo)
	interrupt, stop := run.Interrupts(o.Progress, func() { os.Exit(9) })
	defer stop()
	o.Interrupt = interrupt
	m := walk{afterStep: func(t *run.Trial, step int) { fmt.Println(t.Seed, step) }}
	job, err := run.New(m, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer job.Close()
	result, err := job.Train(context.Background())
	switch {
	case errors.Is(err, run.ErrInterrupted):
		return 5
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("weights", result.WeightsHash)
	return 0
}

// start starts a child and waits until it has made a step (or ended).
func start(t *testing.T, o run.Options) (*exec.Cmd, *bufio.Reader, *bytes.Buffer) {
	t.Helper()
	text, err := json.Marshal(childSettings{o.Flags, o.Set, o.Out, o.Resume})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOptions+"="+string(text))
	errs := &bytes.Buffer{}
	cmd.Stderr = errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewReader(out), errs
}

// TestKillAtAnyMoment kills trainings that write a checkpoint after every step, at random moments, and resumes them: whatever
// was being written, the run ends with the bytes of one that was left alone.
func TestKillAtAnyMoment(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 4
	}
	set := []string{"steps=400", "size=40000", "seeds=2", "checkpoint-every=1"}
	whole := options(t, set...)
	whole.Set = append(set[:3:3], "checkpoint-every=100")
	want := train(t, walk{}, whole)

	o := options(t, set...)
	o.Flags = whole.Flags
	for n := range kills {
		cmd, out, errs := start(t, o)
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("start %d: %v\n%s", n, err, errs)
		}
		if strings.HasPrefix(line, "weights") {
			t.Logf("done after %d kills", n)
			break
		}
		go io.Copy(io.Discard, out)
		time.Sleep(time.Duration(rand.IntN(40_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if strings.Contains(errs.String(), "damaged") {
			t.Fatalf("start %d found damage:\n%s", n, errs)
		}
		o.Resume = true
		o.Sources = run.Sources{}
	}
	o.Set = []string{"checkpoint-every=1000"}
	got := train(t, walk{}, o)
	if got.WeightsHash != want.WeightsHash {
		t.Errorf("other weights than the run that was left alone")
	}
	a, b := tree(t, whole.Out), tree(t, o.Out)
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs from the run that was left alone", name)
		}
	}
}

func TestFirstSignalWritesACheckpointTheSecondEnds(t *testing.T) {
	o := options(t, "steps=100000", "pause=200")
	cmd, out, errs := start(t, o)
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, out)
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != 5 || !strings.Contains(errs.String(), "once more to stop at once") {
		t.Errorf("exit %v\n%s", cmd.ProcessState, errs)
	}
	d, err := run.Describe(o.Out)
	if err != nil || !strings.Contains(fmt.Sprint(d.Fields), "checkpoint of step") {
		t.Errorf("%+v, %v", d, err)
	}

	o.Resume = true
	o.Sources = run.Sources{Flags: map[string]string{}, Set: []string{"pause=60000000"}} // a step that takes a minute
	cmd, out, errs = start(t, o)
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for tries := 0; len(ended) == 0 && tries < 1000; tries++ {
		cmd.Process.Signal(unix.SIGINT) // several, since two that come at once count as one
		time.Sleep(20 * time.Millisecond)
	}
	cmd.Process.Kill()
	<-ended
	if cmd.ProcessState.ExitCode() != 9 {
		t.Errorf("the second signal did not end it: %v\n%s", cmd.ProcessState, errs)
	}
}
