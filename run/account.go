package run

import (
	"html/template"
	"strings"
	"time"

	"github.com/seraph-ml/seraph/engine/plan"
)

// Account is the report of a command that makes no run: the same page, without settings.
type Account struct {
	Title, Subtitle string
	Tiles           [][2]string // name and value, in large type
	Sections        []Section
	Plan            *plan.Job
	Command         []string // words of the command line
	Version         string   // of Seraph
}

// HTML is the page, which needs nothing else.
func (a *Account) HTML() ([]byte, error) {
	environment := ThisEnvironment(a.Version)
	p := newPage(environment, a.Plan, time.Now())
	p.Title, p.Subtitle = a.Title, a.Subtitle
	for _, t := range a.Tiles {
		p.Tiles = append(p.Tiles, tile{Name: t[0], Value: t[1]})
	}
	words := []string{"seraph"}
	for _, word := range a.Command {
		words = append(words, quote(word))
	}
	p.Command = strings.Join(words, " ")
	p.addSections(a.Sections)
	return p.html()
}

// newPage is what the reports of all have.
func newPage(e Environment, p *plan.Job, finished time.Time) *page {
	return &page{
		Plan: viewPlan(p), Environment: e.table(), Version: e.Seraph, Finished: finished.Format("2 January 2006, 15:04"),
		CSS: template.CSS(reportCSS), UPlotCSS: template.CSS(uplotCSS), JS: template.JS(reportJS), UPlotJS: template.JS(uplotJS),
	}
}
