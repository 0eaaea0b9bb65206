package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A training that is killed again and again, at moments spread over it (import, search, propagation, steps, checkpoints, the
// writing of the model), ends with the weights of one that was not.
func TestKilledAtAnyMomentAndResumedComesToTheSameBits(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty trainings")
	}
	for model, flags := range map[string][]string{
		"lm":      {"--data", "text.txt", "--layers", "1", "--heads", "1", "--width", "8", "--block", "8", "--batch", "2", "--steps", "300", "--checkpoint-every", "20"},
		"gamlp-r": {"--data", "g", "--tune", "0", "--labels", "rlu", "--label-hops", "3", "--stages", "3", "--threshold", "0.3", "--hops", "2", "--epochs", "20", "--checkpoint-every", "6"},
		"sign":    {"--data", "g", "--tune", "3", "--epochs", "40", "--hops", "2", "--seeds", "2", "--checkpoint-every", "3"},
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "text.txt"), []byte(text(2000)), 0o666); err != nil {
				t.Fatal(err)
			}
			succeeds(t, dir, "make", "graph", "--nodes", "400", "--classes", "3", "--features", "10", "--out", "g")
			train := func(out string, more ...string) []string {
				return append(append([]string{"train", model, "--out", out, "--quiet"}, flags...), more...)
			}
			began := time.Now()
			succeeds(t, dir, train("whole")...)
			whole := time.Since(began)

			const kills = 10
			killed := 0
			for i := range kills {
				out := fmt.Sprintf("run%d", i/5) // a fresh one after some
				c := seraphIn(dir, train(out, "--resume")...)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(whole * time.Duration(i+1) / (kills + 1))
				c.Process.Kill()
				c.Wait() // its error is the exit code
				switch code := c.ProcessState.ExitCode(); code {
				case -1:
					killed++
				case 0: // it was faster this time
				default:
					t.Errorf("exit code %d", code)
				}
			}
			if killed == 0 {
				t.Error("none was killed before its end")
			}
			want, err := weightsHash(filepath.Join(dir, "whole"))
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []string{"run0", "run1"} {
				succeeds(t, dir, train(out, "--resume")...)
				if got, err := weightsHash(filepath.Join(dir, out)); got != want {
					t.Errorf("%s has weights %s, expected %s (%v)", out, got, want, err)
				}
				succeeds(t, dir, "check", out)
			}
		})
	}
}

// seraphIn is the program under test in a folder, with one thread and nothing of the environment that it would read.
func seraphIn(dir string, args ...string) *exec.Cmd {
	c := exec.Command("seraph", args...)
	c.Dir = dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "SERAPH_THREADS=1"}
	return c
}

// succeeds runs it to its end.
func succeeds(t *testing.T, dir string, args ...string) {
	t.Helper()
	if output, err := seraphIn(dir, args...).CombinedOutput(); err != nil {
		t.Fatalf("seraph %v: %v\n%s", args, err, output)
	}
}

// text is n bytes of letters, the same every time.
func text(n int) string {
	letters := make([]byte, n)
	x := uint32(1)
	for i := range letters {
		x = x*1664525 + 1013904223
		letters[i] = "etaoin shrdlu"[x>>16%13]
	}
	return string(letters)
}
