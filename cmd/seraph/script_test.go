package main

import (
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seraph-ml/seraph/internal/race"
)

// The command line is tested as people use it: by the scripts in testdata, each in a folder of its own with the files that
// follow it. Their language is that of testscript with the commands of scriptcmd_test.go; [race] is whether the race detector runs.

// TestMain makes the test binary the program under test where it is called by that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"seraph": main, "signalled": signalled})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata",
		Cmds: scriptCommands,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir) // what doctor measures is kept below it
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "race" {
				return false, fmt.Errorf("unknown condition")
			}
			return race.Enabled, nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
