package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seraph-ml/seraph/engine/memory"
)

// scriptCommands are the commands of scripts; an error says what is not as expected.
var scriptCommands = map[string]func(s *script, args []string) error{
	"exits":     exits,
	"signalled": signalled,
	"json":      jsonValue,
	"same":      sameWeights,
	"cut":       cutFile,
	"budget":    budget,
	"within":    within,
	"stdout":    func(s *script, args []string) error { return matches(s, args[0], "stdout") },
	"stderr":    func(s *script, args []string) error { return matches(s, args[0], "stderr") },
	"grep":      func(s *script, args []string) error { return matches(s, args[0], args[1]) },
	"env": func(s *script, args []string) error {
		name, value, _ := strings.Cut(args[0], "=")
		s.env[name] = value
		return nil
	},
	"exists": func(s *script, args []string) error {
		for _, name := range args {
			if found, _ := filepath.Glob(s.path(name)); len(found) == 0 {
				return fmt.Errorf("%s is not there", name)
			}
		}
		return nil
	},
	"cp": func(s *script, args []string) error {
		return os.WriteFile(s.path(args[1]), []byte(s.read(args[0])), 0o666)
	},
	"cmp": func(s *script, args []string) error {
		if s.read(args[0]) != s.read(args[1]) {
			return fmt.Errorf("they differ")
		}
		return nil
	},
	"rm": func(s *script, args []string) error {
		for _, name := range args {
			s.check(os.RemoveAll(s.path(name)))
		}
		return nil
	},
}

func matches(s *script, pattern, name string) error {
	if !regexp.MustCompile("(?m)" + pattern).MatchString(s.read(name)) {
		return fmt.Errorf("%s does not match", name)
	}
	return nil
}

// signalled CODE SIGNAL GLOB COMMAND… starts a program, sends it a signal (INT, TERM, KILL) once there is such a file that was not
// there before, and waits for its end: with that exit code, or "killed".
func signalled(s *script, args []string) error {
	signal := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[1]]
	there := func() string {
		found, err := filepath.Glob(s.path(args[2]))
		s.check(err)
		return fmt.Sprint(found)
	}
	before := there()
	c := s.program(args[3], args[4:]...)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	s.check(c.Start())
	for deadline := time.Now().Add(time.Minute); there() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.Process.Kill()
			break
		}
	}
	s.check(c.Process.Signal(signal))
	c.Wait() // its error is the exit code
	got := strconv.Itoa(c.ProcessState.ExitCode())
	if got == "-1" {
		got = "killed"
	}
	s.stdout, s.stderr = "", output.String()
	if got != args[0] {
		return fmt.Errorf("exit code %s, expected %s", got, args[0])
	}
	return nil
}

// jsonValue looks at a value in the last line of stdout by its path ("metrics.val_loss", "0.name"): it must match a pattern as a
// whole. Numbers are written without an exponent.
func jsonValue(s *script, args []string) error {
	lines := strings.Split(strings.TrimSpace(s.stdout), "\n")
	var v any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil {
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

// same RUN RUN… compares the trained weights of runs, by the hash in their results.
func sameWeights(s *script, args []string) error {
	first := ""
	for _, dir := range args {
		var r struct {
			Hash string `json:"weights_sha256"`
		}
		s.check(json.Unmarshal([]byte(s.read(filepath.Join(dir, "result.json"))), &r))
		if first == "" {
			first = r.Hash
		}
		if r.Hash == "" || r.Hash != first {
			return fmt.Errorf("%s has weights %q, %s has %q", dir, r.Hash, args[0], first)
		}
	}
	return nil
}

// cut FILE BYTES shortens a file by so many bytes.
func cutFile(s *script, args []string) error {
	found, err := filepath.Glob(s.path(args[0]))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("found %v, expected one file", found)
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	s.check(err)
	info, err := os.Stat(found[0])
	s.check(err)
	return os.Truncate(found[0], info.Size()-n)
}

// budget VARIABLE takes the budget that a refusal on stderr names.
func budget(s *script, args []string) error {
	m := regexp.MustCompile(`give --memory (\S+) or more`).FindStringSubmatch(s.stderr)
	if m == nil {
		return fmt.Errorf("no budget is named")
	}
	s.env[args[0]] = m[1]
	return nil
}

// within SIZE looks at the peak resident memory in the last line of stdout: no more than the budget and what measurement allows,
// 16 MiB or 3 %.
func within(s *script, args []string) error {
	size, err := memory.ParseSize(args[0])
	s.check(err)
	lines := strings.Split(strings.TrimSpace(s.stdout), "\n")
	var r struct {
		Peak int64 `json:"peak_rss_bytes"`
	}
	s.check(json.Unmarshal([]byte(lines[len(lines)-1]), &r))
	if r.Peak <= 0 || r.Peak > size+max(16<<20, size/100*3) {
		return fmt.Errorf("the peak is %d of %d bytes", r.Peak, size)
	}
	return nil
}
