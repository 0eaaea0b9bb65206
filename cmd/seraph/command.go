package main

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/seraph-ml/seraph/run"
)

// command is a verb as it stands on the command line, or a part of one: it has either commands below it, or flags.
type command struct {
	name   string
	usage  string // what follows the name, for the list of verbs: "MODEL --data PATH"
	help   string // one line
	detail string // paragraphs for its own help, which end with the exit codes
	exits  []int  // those that it may end with

	below []command

	flags func() reflect.Type             // a struct whose fields are flags and arguments
	verb  func(filled reflect.Value) verb // makes the verb of such a struct
}

// commands are all verbs, in the order of the help.
func commands() []command {
	return []command{
		trainCommand(), predictCommand, smoothCommand, generateCommand, planCommand(), searchCommand(), kcoreCommand, kcoreUpdateCommand, modelsCommand, makeCommand, convertCommand, demoCommand,
		doctorCommand, showCommand, checkCommand, completionCommand,
	}
}

// typeOf is the type V, for command.flags.
func typeOf[V any]() reflect.Type { return reflect.TypeFor[V]() }

// verbOf is the verb of a command whose flags are fields of V.
func verbOf[V any, P interface {
	*V
	verb
}](filled reflect.Value) verb {
	return P(filled.Addr().Interface().(*V))
}

// perModel is a command a model, whose flags are those of Common and the settings of the model.
func perModel[Common any](exits []int, verbOf func(m run.Model, flags Common, settings map[string]string) verb) []command {
	return perTask(models(), exits, verbOf)
}

// perTask is a command a task, by the last word of what it is called on the command line.
func perTask[T run.Task, Common any](tasks []T, exits []int, verbOf func(m T, flags Common, settings map[string]string) verb) []command {
	var list []command
	for _, m := range tasks {
		spec := m.Spec()
		name := spec.Name
		if words := strings.Fields(spec.Verb); len(words) > 0 {
			name = words[len(words)-1]
		}
		list = append(list, command{
			name: name, usage: "--data PATH", help: sentence(spec.Title), detail: spec.Paper + ".\n\nData: " + spec.Data + ".", exits: exits,
			flags: func() reflect.Type { return modelFlags[Common](&spec) },
			verb: func(filled reflect.Value) verb {
				return verbOf(m, filled.FieldByName("Common").Interface().(Common), given(spec.All(), filled))
			},
		})
	}
	return list
}

// settingTag marks flags that package run resolves, with their environment twins, seraph.toml and defaults.
const settingTag = "setting"

// modelFlags is the struct of a model's flags.
func modelFlags[Common any](spec *run.Spec) reflect.Type {
	all := spec.All()
	common := len(run.Common())
	return flagsOf[Common](
		settingGroup{"Settings of every model:", all[:common]},
		settingGroup{"Settings of " + cmp.Or(spec.Verb, spec.Name) + ":", all[common:]})
}

// settingGroup is settings under a heading of the help.
type settingGroup struct {
	title    string
	settings []run.Setting
}

// flagsOf is a struct of flags: those of Common, and one a setting.
func flagsOf[Common any](groups ...settingGroup) reflect.Type {
	fields := []reflect.StructField{{Name: "Common", Type: reflect.TypeFor[Common](), Tag: tag("embed", "")}}
	for _, g := range groups {
		for _, s := range g.settings {
			help := sentence(s.Doc)
			if s.Default != "" {
				help += " Default: " + s.Default + "."
			}
			f := reflect.StructField{
				Name: fieldName(s.Key), Type: reflect.TypeFor[*string](),
				Tag: tag("name", s.Key, "help", help, "placeholder", placeholder(&s), "group", g.title, settingTag, ""),
			}
			if s.Type == run.Bool {
				f.Type = reflect.TypeFor[*bool]() // --flag alone means --flag=true
			}
			fields = append(fields, f)
		}
	}
	return reflect.StructOf(fields)
}

// given are the settings that flags set.
func given(settings []run.Setting, filled reflect.Value) map[string]string {
	texts := map[string]string{}
	for _, s := range settings {
		switch value := filled.FieldByName(fieldName(s.Key)).Interface().(type) {
		case *string:
			if value != nil {
				texts[s.Key] = *value
			}
		case *bool:
			if value != nil {
				texts[s.Key] = strconv.FormatBool(*value)
			}
		}
	}
	return texts
}

// fieldName is the name of the field of a flag or command: exported, as kong needs it.
func fieldName(name string) string {
	return "F_" + strings.ReplaceAll(strings.ReplaceAll(name, "-", "_"), "@", "_at_")
}

func placeholder(s *run.Setting) string {
	switch {
	case s.Type == run.Choice:
		return strings.Join(s.Choices, "|")
	case s.Key == "data":
		return "PATH"
	case s.Key == "space":
		return "FILE"
	case s.Key == "disk":
		return "DIR:SIZE"
	}
	return strings.ToUpper(string(s.Type))
}

// sentence makes a sentence of a line of documentation. It begins with a capital letter, unless with a symbol: γ is not Γ.
func sentence(doc string) string {
	if doc == "" {
		return ""
	}
	if 'a' <= doc[0] && doc[0] <= 'z' {
		doc = strings.ToUpper(doc[:1]) + doc[1:]
	}
	return doc + "."
}

// grammar is the command as the struct that kong takes: a field a command below, or the flags.
func (c *command) grammar(line []string) reflect.Type {
	switch {
	case len(c.below) > 0:
		return grammarOf(c.below, line)
	case line != nil && !slices.Contains(line, c.name):
		return reflect.TypeFor[struct{}]()
	}
	return c.flags()
}

// grammarOf is the struct of commands and, after more, their flags: of those alone that a command line names, for most of the
// time would go into flags that nobody asks for; of all, if the line is nil.
func grammarOf(list []command, line []string, more ...reflect.StructField) reflect.Type {
	fields := more
	for i := range list {
		c := &list[i]
		fields = append(fields, reflect.StructField{Name: fieldName(c.name), Type: c.grammar(line), Tag: tag("cmd", "", "name", c.name, "help", c.help)})
	}
	return reflect.StructOf(fields)
}

// quoted is a text within a tag that kong reads: a quoted string whose variables are not to be filled in.
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${")

// tag makes a struct tag of keys and values.
func tag(pairs ...string) reflect.StructTag {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		value := quoted.Replace(pairs[i+1])
		parts = append(parts, pairs[i]+`:"`+value+`"`)
	}
	return reflect.StructTag(strings.Join(parts, " "))
}

// find is the command of a node of kong's model.
func find(list []command, node *kong.Node) *command {
	if node.Parent != nil && node.Parent.Type != kong.ApplicationNode {
		list = find(list, node.Parent).below
	}
	for i := range list {
		if list[i].name == node.Name {
			return &list[i]
		}
	}
	return nil
}
