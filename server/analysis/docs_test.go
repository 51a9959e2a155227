package analysis

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"callhome/personality"
)

var update = flag.Bool("update", false, "rewrite the list of shipped rules in docs/rules.md")

// ruleTables is the list of the shipped rules as docs/rules.md has it.
func ruleTables(e *Engine) string {
	var b strings.Builder
	byClass := map[Class]int{}
	for _, c := range e.rules {
		byClass[c.Class]++
	}
	fmt.Fprintf(&b, "%d rules.", len(e.rules))
	for _, class := range Classes() {
		fmt.Fprintf(&b, " %s %d,", class, byClass[class])
	}
	text := strings.TrimSuffix(b.String(), ",") + ".\n"
	b.Reset()
	pack := ""
	for _, c := range e.rules {
		if c.pack.Name != pack {
			pack = c.pack.Name
			fmt.Fprintf(&b, "\n### %s %s\n\n%s\n\n| Rule | Class | Platforms | Outcome | What |\n|---|---|---|---|---|\n", pack, c.pack.Version, c.pack.Description)
		}
		platforms := strings.Join(c.Match.Platforms, ", ")
		if platforms == "" {
			platforms = "all"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.ID, c.Class, platforms, strings.ReplaceAll(string(c.Outcome), "_", " "), c.Name)
	}
	return text + b.String()
}

func TestDocs(t *testing.T) {
	const path = "../../docs/rules.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := strings.Index(string(text), "<!-- rules:")
	end := strings.Index(string(text), "<!-- end -->")
	if begin < 0 || end < begin {
		t.Fatal("docs/rules.md has no place for the list of rules")
	}
	begin += strings.IndexByte(string(text[begin:]), '\n') + 1
	want := string(text[:begin]) + ruleTables(shippedEngine(t)) + string(text[end:])
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // documentation is public
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Error("docs/rules.md does not list the rules as they are; run go test ./server/analysis -run TestDocs -update")
	}
}

// TestShippedBreadth: every platform and every class has rules, and those of each platform open service requests.
func TestShippedBreadth(t *testing.T) {
	e := shippedEngine(t)
	if len(e.rules) < 130 {
		t.Errorf("%d rules, want at least 130", len(e.rules))
	}
	classes, platforms, requests := map[Class]int{}, map[string]int{}, map[string]int{}
	for _, c := range e.rules {
		classes[c.Class]++
		for _, p := range c.Match.Platforms {
			platforms[p]++
			if c.Outcome == OutcomeServiceRequest {
				requests[p]++
			}
		}
	}
	for _, c := range Classes() {
		if classes[c] < 3 {
			t.Errorf("class %s has %d rules", c, classes[c])
		}
	}
	for _, p := range personality.Names() {
		if platforms[string(p)] < 5 || requests[string(p)] < 3 {
			t.Errorf("%s has %d rules, %d of them open service requests", p, platforms[string(p)], requests[string(p)])
		}
	}
	t.Logf("%d rules\nclasses %v\nplatforms %v", len(e.rules), classes, platforms)
}
