package personality

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callhome"
)

var update = flag.Bool("update", false, "rewrite the generated pages under docs")

// TestPages keeps docs/alert-groups.md and docs/personalities.md equal to the tables.
func TestPages(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer){"alert-groups.md": writeGroups, "personalities.md": writePersonalities} {
		var want bytes.Buffer
		write(&want)
		path := filepath.Join("..", "docs", name)
		if *update {
			if err := os.WriteFile(path, want.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s does not show the tables; run go test ./personality -update", path)
		}
	}
}

const groupsIntro = `# Alert groups, their commands and the events of each platform

<!-- Made from the tables of package personality by: go test ./personality -update -->

Every message belongs to one alert group. A log line gets its group, level, type and state from the first row of its
platform's table that holds; a line that no row knows is plain syslog with the level of its severity (7 minus the syslog
severity). How to read the tables:

- **Line**: ` + "`%FAC-MNEM`" + ` is the Cisco core, with ` + "`*`" + ` for any; ` + "`#N`" + ` a message number or a range of them; ` + "`name:`" + ` a
  program; ` + "`@Name`" + ` a named alert inside a line of the monitoring tool. Phrases after it must all occur.
- **Level**: "line" is the level of the line's own severity; a word is what the table sets.
- **State**: raise begins trouble, clear ends it; both have the same type, and name the same object.

What marks **TAC** is a member of the Cisco-TAC group on that platform. Where no group is marked, Cisco-TAC takes alerts of
event groups at critical and above.
`

func writeGroups(b *bytes.Buffer) {
	b.WriteString(groupsIntro)
	for _, p := range All() {
		fmt.Fprintf(b, "\n## %s (`%s`)\n\n| group | commands | detailed form |\n| --- | --- | --- |\n", p.Title, p.Name)
		for i := range p.Groups {
			g := &p.Groups[i]
			mark := ""
			if g.CiscoTAC {
				mark = " **TAC**"
			}
			fmt.Fprintf(b, "| %s%s | %s | %s |\n", g.Keyword, mark, commandCell(g.Commands), commandCell(g.Full))
		}
		rows := p.Rows
		if p.Name == Generic {
			rows = rowsGeneric
		}
		b.WriteString("\n| line | group | type | subtype | level | state |\n| --- | --- | --- | --- | --- | --- |\n")
		for i := range rows {
			r := &rows[i]
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", code(r.Rule()), r.Group, r.Type, r.Subtype, levelCell(r.Level), r.State)
		}
		if p.Name == Generic {
			b.WriteString("\nThe rows of linux follow these.\n")
		}
	}
}

func code(s string) string { return "`" + strings.ReplaceAll(s, "|", `\|`) + "`" }

func commandCell(commands []string) string {
	if len(commands) == 0 {
		return "-"
	}
	cells := make([]string, len(commands))
	for i, c := range commands {
		cells[i] = code(c)
	}
	return strings.Join(cells, "<br>")
}

func levelCell(l callhome.Level) string {
	if l == FromSyslog {
		return "line"
	}
	return l.String()
}

const personalitiesIntro = `# Personalities

<!-- Made from the tables of package personality by: go test ./personality -update -->

A personality is what a platform is, as data: the dialects its devices log in, its alert groups with their commands, its
event table ([alert-groups.md](alert-groups.md)), limits and defaults, and its variant of each message format. A device's
personality is set in its entry; a sender that nobody configured is judged by the platform that logs like its lines, or by
generic.

Where a platform's maker publishes no value, ours stands in. Numbers are characters where not said otherwise; 0 as a
maximum means no limit. CiscoTAC-1 is predefined everywhere and inactive until it is enabled.
`

func writePersonalities(b *bytes.Buffer) {
	b.WriteString(personalitiesIntro)
	b.WriteString("\n| | title | dialects | rate limit | message size | profile name | mail servers | pattern | repeats |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, p := range All() {
		l := &p.Limits
		fmt.Fprintf(b, "| %s | %s | %s | %d-%d, %d | %d-%d, %d%s | %d-%d | %d | %d-%d | %s |\n", p.Name, p.Title, dialects(p),
			l.RateLimit.Min, l.RateLimit.Max, l.RateLimit.Default, l.MessageSize.Min, l.MessageSize.Max, l.MessageSize.Default, zero(l),
			l.ProfileName.Min, l.ProfileName.Max, l.MailServers, l.Pattern.Min, l.Pattern.Max, repeats(p))
	}
	b.WriteString("\nRanges are followed by the default.\n")
	for _, p := range All() {
		writePersonality(b, p)
	}
}

func zero(l *Limits) string {
	if l.SizeZero {
		return " (0: no limit)"
	}
	return ""
}

func repeats(p *Personality) string {
	if p.Throttle.PerType > 0 {
		return fmt.Sprintf("%d of a type in %v", p.Throttle.PerType, p.Throttle.Window)
	}
	return fmt.Sprintf("told again after %v", p.Throttle.Repeat)
}

func dialects(p *Personality) string {
	names := make([]string, len(p.Dialects))
	for i, d := range p.Dialects {
		names[i] = string(d)
	}
	if len(names) == 0 {
		return "by configuration only"
	}
	return strings.Join(names, ", ")
}

func writePersonality(b *bytes.Buffer, p *Personality) {
	fmt.Fprintf(b, "\n## %s\n\n", p.Title)
	fmt.Fprintf(b, "- message IDs begin with %q, group IDs with %q; builder %s %s, brand %s, series %s\n",
		p.AML.MessagePrefix, p.AML.GroupPrefix, p.AML.Builder, p.AML.Version, p.AML.Brand, p.AML.Series)
	fmt.Fprintf(b, "- times: `%s` in XML, `%s` in long text (dialect %s)\n", p.Time.XML, p.Time.LongText, p.LongText)
	fmt.Fprintf(b, "- must be set before the service is enabled: %s\n", strings.Join(p.RequiredContact, ", "))
	if len(p.Contexts) > 0 {
		fmt.Fprintf(b, "- run in every context: %s\n", strings.ReplaceAll(commandCell(p.Contexts), "<br>", ", "))
	}
	if len(p.Cluster) > 0 {
		fmt.Fprintf(b, "- cluster messages carry: %s\n", strings.ReplaceAll(commandCell(p.Cluster), "<br>", ", "))
	}
	for _, pr := range p.Profiles() {
		subs := make([]string, len(pr.Subscribe))
		for i, s := range pr.Subscribe {
			subs[i] = subscriptionCell(s)
		}
		fmt.Fprintf(b, "- profile `%s`: %s; %s\n", pr.Name, pr.Format, strings.Join(subs, ", "))
	}
}

func subscriptionCell(s callhome.Subscription) string {
	out := string(s.Group)
	if s.Severity != nil {
		out += " at " + s.Severity.String()
	}
	if s.Pattern != "" {
		out += " with " + code(s.Pattern)
	}
	switch {
	case s.Periodic == nil:
	case s.Periodic.Monthly != nil:
		out += " monthly"
	case s.Periodic.Daily != nil:
		out += " daily"
	}
	return out
}
