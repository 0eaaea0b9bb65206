package table

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const irises = "sepal,colour,petal,species\n5.1,white,2,setosa\n,blue,4,virginica\n6.25,,5,setosa\n"

func layoutOf(t *testing.T, content, target string) *Layout {
	t.Helper()
	l, err := NewLayout(text(t, content, Options{Categories: []string{target}}), target)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestALayoutTurnsATableIntoSamples(t *testing.T) {
	f := text(t, irises, Options{Categories: []string{"species"}})
	l, err := NewLayout(f, "species")
	if err != nil {
		t.Fatal(err)
	}
	want := &Layout{
		Numeric: []string{"sepal", "petal"}, Categorical: []Category{{"colour", []string{"white", "blue"}}},
		Target: "species", Classes: []string{"setosa", "virginica"},
	}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Error(diff)
	}
	got, err := l.Samples(read(t, f))
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	samples := &Samples{
		Rows: 3, Numeric: []float32{5.1, 2, nan, 4, 6.25, 5}, Codes: []int32{0, 1, -1}, Labels: []int32{0, 1, 0},
	}
	if diff := cmp.Diff(samples, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

func TestALayoutReadsOtherTablesTheSameWay(t *testing.T) {
	content, err := json.Marshal(layoutOf(t, irises, "species"))
	if err != nil {
		t.Fatal(err)
	}
	var l Layout // as kept with the model
	if err := json.Unmarshal(content, &l); err != nil {
		t.Fatal(err)
	}
	// Other order of columns and of values, an unknown colour, no target, and a column of numbers that is all missing.
	got, err := l.Samples(read(t, text(t, "petal,sepal,colour\n1,,blue\n2,,green\n3,,white\n", Options{Categories: []string{"species"}})))
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	want := &Samples{Rows: 3, Numeric: []float32{nan, 1, nan, 2, nan, 3}, Codes: []int32{1, -1, 0}, Unknown: 1}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

func TestClassesAreSorted(t *testing.T) {
	for column, want := range map[string][]string{
		"b a c a":        {"a", "b", "c"},
		"10 9 -1 9":      {"-1", "9", "10"},
		"+1 -1 1":        {"-1", "1"},
		"1.0 0.0 1.0":    {"0", "1"},
		"2 1 1.5":        {"1", "1.5", "2"},
		"1 NA ? 0":       {"0", "1"},
		"1 0 x":          {"0", "1", "x"},
		"Zürich ä Basel": {"Basel", "Zürich", "ä"},
	} {
		l := layoutOf(t, "y\n"+strings.ReplaceAll(column, " ", "\n")+"\n", "y")
		if diff := cmp.Diff(want, l.Classes); diff != "" {
			t.Errorf("%s: %s", column, diff)
		}
	}
}

func TestTablesThatDoNotSuitALayoutAreRefused(t *testing.T) {
	l := layoutOf(t, irises, "species")
	for content, want := range map[string]string{
		"sepal,petal\n1,2\n":                               "no column \"colour\"",
		"sepal,colour\n1,x\n":                              "no column \"petal\"",
		"sepal,petal,colour\n1,many,x\n":                   "\"many\"",
		"sepal,petal,colour\n1e300,2,x\n":                  "1e+300",
		"sepal,petal,colour\n1,2,3\n":                      "was read as int",
		"sepal,petal,colour,species\n1,2,blue,sunflower\n": "\"sunflower\"",
	} {
		_, err := l.Samples(read(t, text(t, content, Options{Categories: []string{"species"}})))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected one about %s", content, err, want)
		}
	}
	f := text(t, irises, Options{})
	if _, err := NewLayout(f, "petals"); err == nil || !strings.Contains(err.Error(), "sepal, colour, petal, species") {
		t.Errorf("error %v, expected one that lists the columns", err)
	}
	if _, err := NewLayout(f, "petal"); err == nil {
		t.Error("a target that was read as numbers was accepted")
	}
	if _, err := NewLayout(text(t, "y\nx\nx\n", Options{Categories: []string{"y"}}), "y"); err == nil {
		t.Error("a single class was accepted")
	}
	for _, ignore := range []string{"sepals", "*"} {
		names := []string{ignore}
		if ignore == "*" {
			names = []string{"sepal", "colour", "petal", "species"}
		}
		if _, err := OpenCSV(f.Path, Options{Ignore: names}); err == nil {
			t.Errorf("ignoring %v was no error", names)
		}
	}
}
