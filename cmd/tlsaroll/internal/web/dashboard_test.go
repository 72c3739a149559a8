package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// dashboard is as much of Grafana's model as ours has; another field is a mistake.
type dashboard struct {
	Title, UID, Description, Timezone, Refresh string
	Tags                                       []string
	SchemaVersion, Version, GraphTooltip       int
	Editable                                   bool
	Time                                       struct{ From, To string }
	Annotations                                struct{ List []any }
	Links                                      []any
	Templating                                 struct{ List []variable }
	Panels                                     []panel
}

type source struct{ Type, UID string }

type variable struct {
	Name, Label, Type, Definition, AllValue, Regex string
	Query                                          any
	Datasource                                     source
	Refresh, Sort, Hide                            int
	Multi, IncludeAll                              bool
	Current                                        any
	Options                                        []any
}

type panel struct {
	ID                       int
	Title, Description, Type string
	Datasource               source
	GridPos                  struct{ H, W, X, Y int }
	FieldConfig, Options     any
	Transformations          []any
	Targets                  []struct {
		RefID, Expr, LegendFormat, Format, Interval string
		Datasource                                  source
		Instant, Range                              bool
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	r := json.NewDecoder(strings.NewReader(monitoringFile(t, "dashboard.json")))
	r.DisallowUnknownFields()
	if err := r.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboard holds the dashboard to what the program shows, and to what Grafana takes.
func TestDashboard(t *testing.T) {
	known, d := everything(t), readDashboard(t)
	prometheus := source{"prometheus", "${datasource}"}
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 39 {
		t.Errorf("%q, %q, schema %d", d.Title, d.UID, d.SchemaVersion)
	}
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
		if v.Type == "query" {
			inner := strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")")
			at := strings.LastIndex(inner, ", ")
			if labels := known.query(t, v.Name, inner[:at]); v.Datasource != prometheus || !slices.Contains(labels, inner[at+2:]) {
				t.Errorf("variable %s: %+v", v.Name, v)
			}
		}
	}
	if !slices.Equal(variables, []string{"datasource", "instance", "lineage"}) {
		t.Errorf("the variables are %v", variables)
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Title == "" || p.Description == "" || ids[p.ID] || p.ID < 1 || p.Datasource != prometheus {
			t.Errorf("panel %d %q of %v", p.ID, p.Title, p.Datasource)
		}
		ids[p.ID] = true
		if !slices.Contains([]string{"state-timeline", "timeseries", "table"}, p.Type) {
			t.Errorf("%s: a panel of type %s", p.Title, p.Type)
		}
		place(t, taken, p)
		for _, q := range p.Targets {
			labels := known.query(t, p.Title, q.Expr)
			if q.RefID == "" || q.Datasource != prometheus || !strings.Contains(q.Expr, `instance=~"$instance"`) {
				t.Errorf("%s: %+v", p.Title, q)
			}
			if slices.Contains(labels, "lineage") != strings.Contains(q.Expr, `lineage=~"$lineage`) {
				t.Errorf("%s: it does not go by the lineage: %s", p.Title, q.Expr)
			}
			for _, m := range legendOf.FindAllStringSubmatch(q.LegendFormat, -1) {
				if !slices.Contains(labels, m[1]) {
					t.Errorf("%s: its legend wants %s: %s", p.Title, m[1], q.Expr)
				}
			}
		}
	}
}

// place wants that panels stand beside and below each other, 24 columns wide.
func place(t *testing.T, taken map[[2]int]string, p panel) {
	t.Helper()
	g := p.GridPos
	if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
		t.Errorf("%s: it stands at %+v", p.Title, g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if other := taken[[2]int{x, y}]; other != "" {
				t.Errorf("%s stands on %s", p.Title, other)
				return
			}
			taken[[2]int{x, y}] = p.Title
		}
	}
}
