package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seraph-ml/seraph/engine/memory"
)

// scriptCommands are the commands of scripts beside those of testscript.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":  positive(exits),
	"json":   positive(jsonValue),
	"same":   positive(sameWeights),
	"budget": positive(budget),
	"within": positive(within),
}

// positive makes a command of testscript of one whose error says what is not as expected, and that no "!" turns round.
func positive(command func(ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command takes no !")
		}
		ts.Check(command(ts, args))
	}
}

// exits CODE PROGRAM… runs a program, which must end with that exit code; exec knows only success and failure.
func exits(ts *testscript.TestScript, args []string) error {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		return err
	}
	if strconv.Itoa(code) != args[0] {
		return fmt.Errorf("exit code %d, expected %s", code, args[0])
	}
	return nil
}

// signalled is the program of that name: signalled SIGNAL GLOB PROGRAM… starts a program, sends it a signal (INT, TERM, KILL) once
// there is such a file that was not there before, and ends with its exit code or, as in a shell, with 128 + the number of
// the signal that killed it; with 124 where no such file came within a minute. It is a program, as the commands of scripts cannot
// start one and go on.
func signalled() {
	signal := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[os.Args[1]]
	there := func() string {
		found, _ := filepath.Glob(os.Args[2])
		return fmt.Sprint(found)
	}
	before := there()
	c := exec.Command(os.Args[3], os.Args[4:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	for deadline := time.Now().Add(time.Minute); there() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.Process.Kill()
			fmt.Fprintln(os.Stderr, "signalled: no new", os.Args[2])
			os.Exit(124)
		}
	}
	c.Process.Signal(signal)
	c.Wait() // its error is the exit code
	status := c.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
	os.Exit(status.ExitStatus())
}

// lastLine reads the last line of stdout as JSON.
func lastLine(ts *testscript.TestScript, v any) error {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	return json.Unmarshal([]byte(lines[len(lines)-1]), v)
}

// json PATH PATTERN looks at a value in the last line of stdout by its path ("metrics.val_loss", "0.name"): it must match the pattern
// as a whole. Numbers are written without an exponent.
func jsonValue(ts *testscript.TestScript, args []string) error {
	var v any
	if err := lastLine(ts, &v); err != nil {
		return err
	}
	for key := range strings.SplitSeq(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return fmt.Errorf("no %q in a list of %d", key, len(x))
			}
			v = x[i]
		default:
			return fmt.Errorf("no %q in %v", key, v)
		}
	}
	text := fmt.Sprint(v)
	if x, ok := v.(float64); ok {
		text = strconv.FormatFloat(x, 'f', -1, 64)
	}
	if !regexp.MustCompile("^(?:" + args[1] + ")$").MatchString(text) {
		return fmt.Errorf("%s is %s, expected %s", args[0], text, args[1])
	}
	return nil
}

// same RUN RUN… compares the trained weights of runs.
func sameWeights(ts *testscript.TestScript, args []string) error {
	first := ""
	for _, dir := range args {
		hash, err := weightsHash(ts.MkAbs(dir))
		if err != nil {
			return err
		}
		if first == "" {
			first = hash
		}
		if hash != first {
			return fmt.Errorf("%s has weights %s, %s has %s", dir, hash, args[0], first)
		}
	}
	return nil
}

// weightsHash is the hash of the weights in the result of a run.
func weightsHash(run string) (string, error) {
	text, err := os.ReadFile(filepath.Join(run, "result.json"))
	if err != nil {
		return "", err
	}
	var r struct {
		Hash string `json:"weights_sha256"`
	}
	err = json.Unmarshal(text, &r)
	if err == nil && r.Hash == "" {
		err = fmt.Errorf("%s: there is no hash of weights in its result", run)
	}
	return r.Hash, err
}

// budget VARIABLE takes the budget that a refusal on stderr names.
func budget(ts *testscript.TestScript, args []string) error {
	m := regexp.MustCompile(`give --memory (\S+) or more`).FindStringSubmatch(ts.ReadFile("stderr"))
	if m == nil {
		return fmt.Errorf("no budget is named")
	}
	ts.Setenv(args[0], m[1])
	return nil
}

// within SIZE looks at the peak resident memory in the last line of stdout: no more than the budget and what measurement allows,
// 16 MiB or 3 %.
func within(ts *testscript.TestScript, args []string) error {
	size, err := memory.ParseSize(args[0])
	if err != nil {
		return err
	}
	var r struct {
		Run  int64 `json:"peak_rss_bytes"`
		Core int64 `json:"peak_bytes"` // of seraph kcore
	}
	if err := lastLine(ts, &r); err != nil {
		return err
	}
	if peak := max(r.Run, r.Core); peak <= 0 || peak > size+max(16<<20, size/100*3) {
		return fmt.Errorf("the peak is %d of %d bytes", peak, size)
	}
	return nil
}
