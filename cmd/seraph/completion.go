package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

var completionCommand = command{
	name: "completion", usage: "bash|zsh|fish", help: "Print a script that completes command lines.",
	detail: "For this shell: source <(seraph completion bash), or in fish: seraph completion fish | source. For all: into ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish.",
	flags:  typeOf[completion], verb: verbOf[completion],
}

type completion struct {
	Shell string `arg:"" name:"SHELL" enum:"bash,zsh,fish" help:"The shell: bash, zsh, fish."`
}

func (c *completion) run(a *app) error {
	parser, _ := a.parser(nil)
	root := parser.Model.Node
	script := bashCompletion(root)
	switch c.Shell {
	case "zsh":
		script = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" + script
	case "fish":
		script = fishCompletion(root)
	}
	_, err := fmt.Fprint(a.stdout, script)
	return err
}

// eachNode calls visit for every command with its words after "seraph": "", "train", "train sgc".
func eachNode(node *kong.Node, words string, visit func(words string, node *kong.Node)) {
	visit(words, node)
	for _, child := range node.Children {
		eachNode(child, strings.TrimSpace(words+" "+child.Name), visit)
	}
}

// bashCompletion finds the command by the words before the cursor, and offers what is below it and its flags. What else may
// follow are files.
func bashCompletion(root *kong.Node) string {
	var b strings.Builder
	b.WriteString(`_seraph() {
  local command="" next="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="${command:+$command }$word"
    case "$next" in
`)
	var known []string
	eachNode(root, "", func(words string, _ *kong.Node) {
		if words != "" {
			known = append(known, fmt.Sprintf("%q", words))
		}
	})
	fmt.Fprintf(&b, "      %s) command=\"$next\" ;;\n", strings.Join(known, "|"))
	b.WriteString("    esac\n  done\n  case \"$command\" in\n")
	eachNode(root, "", func(words string, node *kong.Node) {
		var offer []string
		for _, child := range node.Children {
			offer = append(offer, child.Name)
		}
		for _, f := range node.Flags {
			offer = append(offer, "--"+f.Name)
		}
		if node.Parent != nil {
			offer = append(offer, "--help")
		}
		fmt.Fprintf(&b, "    %q) COMPREPLY=($(compgen -W %q -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n", words, strings.Join(offer, " "))
	})
	b.WriteString("  esac\n}\ncomplete -o default -F _seraph seraph\n")
	return b.String()
}

// fishCompletion is a line a command below, and a line a flag.
func fishCompletion(root *kong.Node) string {
	var b strings.Builder
	b.WriteString(`function __seraph_at
  set -l words (commandline -opc)
  set -l command
  for word in $words[2..]
    string match -q -- '-*' $word; or set command $command $word
  end
  string match -q -- "$argv*" "$command"; and test (count $command) -ge (count $argv)
end
function __seraph_exactly
  set -l words (commandline -opc)
  test "$words[2..]" = "$argv"
end
`)
	eachNode(root, "", func(words string, node *kong.Node) {
		for _, child := range node.Children {
			fmt.Fprintf(&b, "complete -c seraph -f -n '__seraph_exactly %s' -a %s -d %s\n", words, child.Name, fishQuote(child.Help))
		}
		for _, f := range node.Flags {
			more := " -r"
			if f.IsBool() {
				more = ""
			}
			fmt.Fprintf(&b, "complete -c seraph -n '__seraph_at %s' -l %s%s -d %s\n", words, f.Name, more, fishQuote(f.Help))
		}
	})
	return b.String()
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
