// Package worker is the Go side of bench/side.py's Worker: a warm process that answers each line on stdin with one line on
// stdout, a JSON value or "error: …".
package worker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Serve answers every line until stdin ends.
func Serve(answer func(words []string) (any, error)) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		reply, err := answer(strings.Fields(lines.Text()))
		if err == nil {
			var text []byte
			if text, err = json.Marshal(reply); err == nil {
				fmt.Printf("%s\n", text)
				continue
			}
		}
		fmt.Println("error:", strings.ReplaceAll(err.Error(), "\n", " "))
	}
}
