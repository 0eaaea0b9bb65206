package main

import (
	"reflect"
	"strings"

	"github.com/seraph-ml/seraph/run"
)

// command is a verb as it stands on the command line.
type command struct {
	name, help, detail string
	// build returns what kong fills and how to find the verb in it; model is the name of the sub-command, if it has any.
	build func() (target any, find func(model string) verb)
}

// commands are all verbs, in the order of the help.
func commands() []command {
	return []command{trainCommand, predictCommand, generateCommand, planCommand, modelsCommand}
}

// simple is a command whose flags are the fields of a verb.
func simple(name, help, detail string, fresh func() verb) command {
	return command{name: name, help: help, detail: detail, build: func() (any, func(string) verb) {
		v := fresh()
		return v, func(string) verb { return v }
	}}
}

// perModel is the build of a verb with a sub-command a model, whose flags are those of common and the model's settings.
func perModel[Common any](verbOf func(m run.Model, flags Common, settings map[string]string) verb) func() (any, func(string) verb) {
	return func() (any, func(string) verb) {
		var fields []reflect.StructField
		for _, m := range models() {
			spec := m.Spec()
			fields = append(fields, reflect.StructField{
				Name: "M" + spec.Name, Type: modelFlags[Common](m),
				Tag: tag("cmd", "", "name", spec.Name, "help", spec.Title+"."),
			})
		}
		target := reflect.New(reflect.StructOf(fields))
		return target.Interface(), func(model string) verb {
			for _, m := range models() {
				if m.Spec().Name == model {
					flags := target.Elem().FieldByName("M" + model)
					return verbOf(m, flags.FieldByName("Common").Interface().(Common), given(m, flags))
				}
			}
			return nil
		}
	}
}

// modelFlags is the type of a model's sub-command.
func modelFlags[Common any](m run.Model) reflect.Type {
	fields := []reflect.StructField{{Name: "Common", Type: reflect.TypeFor[Common](), Tag: tag("embed", "")}}
	for i, s := range m.Spec().All() {
		group := "Settings of " + m.Spec().Name
		if i < len(run.Common()) {
			group = "Settings of every model"
		}
		help := strings.ToUpper(s.Doc[:1]) + s.Doc[1:] + "."
		if s.Default != "" {
			help += " Default: " + s.Default + "."
		}
		fields = append(fields, reflect.StructField{
			Name: fieldName(s.Key), Type: reflect.TypeFor[*string](),
			Tag: tag("name", s.Key, "help", help, "placeholder", placeholder(&s), "group", group),
		})
	}
	return reflect.StructOf(fields)
}

// given are the settings that flags set.
func given(m run.Model, flags reflect.Value) map[string]string {
	settings := map[string]string{}
	for _, s := range m.Spec().All() {
		if text := flags.FieldByName(fieldName(s.Key)).Interface().(*string); text != nil {
			settings[s.Key] = *text
		}
	}
	return settings
}

func fieldName(key string) string { return "S" + strings.ReplaceAll(key, "-", "_") }

func placeholder(s *run.Setting) string {
	if s.Type == run.Choice {
		return strings.Join(s.Choices, "|")
	}
	return strings.ToUpper(string(s.Type))
}

// tag makes a struct tag of keys and values.
func tag(pairs ...string) reflect.StructTag {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		value := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${").Replace(pairs[i+1])
		parts = append(parts, pairs[i]+`:"`+value+`"`)
	}
	return reflect.StructTag(strings.Join(parts, " "))
}

// nested puts a sub-command around a target.
func nested(name, help string, target any) any {
	t := reflect.StructOf([]reflect.StructField{{Name: "Sub", Type: reflect.TypeOf(target), Tag: tag("cmd", "", "name", name, "help", help)}})
	outer := reflect.New(t)
	outer.Elem().Field(0).Set(reflect.ValueOf(target))
	return outer.Interface()
}
