// Package detect says what a path is, so that `--data PATH`, `seraph show` and `seraph check` take any format that Seraph
// knows without being told. It looks at what is there: names, folders, and the first bytes where they decide. Run directories
// and checkpoints are recognised by package run.
package detect
