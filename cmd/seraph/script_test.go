package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seraph-ml/seraph/internal/race"
)

// The command line is tested as people use it: by the scripts in testdata, in the language of rogpeppe/go-internal/testscript,
// each in a folder of its own with the files that follow it. A line is a command, "!" in front expects it to fail:
//
//	exits CODE COMMAND…     run a program, which must end with that exit code; "seraph" is the one under test
//	stdout, stderr REGEXP   look at what the last program printed
//	grep REGEXP FILE, exists FILE…, cmp FILE FILE, cp FILE FILE, rm FILE…, env NAME=VALUE, [short] skip, [race] skip
//
// and those of scriptcmd_test.go.

// beSeraph makes the test binary the program under test.
const beSeraph = "TEST_BINARY_IS_SERAPH"

func TestMain(m *testing.M) {
	if os.Getenv(beSeraph) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := newScript(t)
			commands, files, _ := strings.Cut(string(text), "\n-- ")
			s.unpack(files)
			for number, line := range strings.Split(commands, "\n") {
				s.run(fmt.Sprintf("%s:%d: %s", path, number+1, line), line)
			}
		})
	}
}

// script is a script that runs.
type script struct {
	*testing.T
	dir            string
	env            map[string]string
	stdout, stderr string // of the last program
	where          string // the line that runs
}

func newScript(t *testing.T) *script {
	dir := t.TempDir()
	return &script{T: t, dir: dir, env: map[string]string{
		"HOME": dir, "XDG_CACHE_HOME": filepath.Join(dir, ".cache"), "PATH": os.Getenv("PATH"), "TMPDIR": os.TempDir(), "WORK": dir,
	}}
}

// unpack writes the files of a script: "-- NAME --" and their lines.
func (s *script) unpack(files string) {
	for part := range strings.SplitSeq(files, "\n-- ") {
		if name, content, ok := strings.Cut(part, " --\n"); ok {
			s.check(os.MkdirAll(filepath.Dir(s.path(name)), 0o777))
			s.check(os.WriteFile(s.path(name), []byte(content+"\n"), 0o666))
		}
	}
}

func (s *script) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// read returns a file, or what the last program printed.
func (s *script) read(name string) string {
	switch name {
	case "stdout":
		return s.stdout
	case "stderr":
		return s.stderr
	}
	text, err := os.ReadFile(s.path(name))
	s.check(err)
	return string(text)
}

func (s *script) check(err error) {
	s.Helper()
	if err != nil {
		s.failf("%v", err)
	}
}

func (s *script) failf(format string, args ...any) {
	s.Helper()
	s.Fatalf("%s\n%s\nstdout of the last program:\n%s\nstderr:\n%s", s.where, fmt.Sprintf(format, args...), clip(s.stdout), clip(s.stderr))
}

// clip cuts long output for a message.
func clip(text string) string {
	const most = 3000
	if len(text) > most {
		return text[:most] + " …"
	}
	return text
}

// run runs a line.
func (s *script) run(where, line string) {
	s.where = where
	words := s.words(line)
	if len(words) == 0 {
		return
	}
	if skip, ok := map[string]bool{"[short]": testing.Short(), "[race]": race.Enabled}[words[0]]; ok {
		if skip {
			s.Skip(line)
		}
		return
	}
	not := words[0] == "!"
	if not {
		words = words[1:]
	}
	command, ok := scriptCommands[words[0]]
	if !ok {
		s.failf("there is no such command")
	}
	err := command(s, words[1:])
	switch {
	case not && err == nil:
		s.failf("expected it to fail")
	case !not && err != nil:
		s.failf("%v", err)
	}
}

var word = regexp.MustCompile(`'[^']*'|[^\s']+`)

// words splits a line: at blanks outside of quotes, with the values of $NAME outside of them, up to a #.
func (s *script) words(line string) []string {
	var list []string
	end := 0
	for _, at := range word.FindAllStringIndex(line, -1) {
		text := line[at[0]:at[1]]
		if at[0] > end && text[0] == '#' || at[0] == 0 && text[0] == '#' {
			return list
		}
		if text[0] == '\'' {
			text = text[1 : len(text)-1]
		} else {
			text = os.Expand(text, func(name string) string { return s.env[name] })
		}
		if at[0] == end && len(list) > 0 { // 'a'b is one word
			list[len(list)-1] += text
		} else {
			list = append(list, text)
		}
		end = at[1]
	}
	return list
}

// program is a program to run in the folder of the script.
func (s *script) program(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	if name == "seraph" {
		binary, err := os.Executable()
		s.check(err)
		c = exec.Command(binary, args...)
		c.Env = append(c.Env, beSeraph+"=1")
	}
	c.Dir = s.dir
	for name, value := range s.env {
		c.Env = append(c.Env, name+"="+value)
	}
	c.WaitDelay = time.Minute
	return c
}

// exits is the command of that name.
func exits(s *script, args []string) error {
	c := s.program(args[1], args[2:]...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	s.stdout, s.stderr = stdout.String(), stderr.String()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if got := fmt.Sprint(c.ProcessState.ExitCode()); got != args[0] {
		return fmt.Errorf("exit code %s, expected %s", got, args[0])
	}
	return nil
}
