package notify

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/server/casework"
)

var update = flag.Bool("update", false, "write the golden files")

var when = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func subject() *casework.Subject {
	return &casework.Subject{
		Device: 7, DeviceID: "QX9006@C@QXA2613K0PZ", Company: 3, CompanyName: "Acme Networks", Host: "edge-rtr-7", Model: "QX9006", Serial: "QXA2613K0PZ",
		SWVersion: "17.12.4", Site: "LIS-2", Contract: "K-7781-22", Groups: []string{"core"},
	}
}

func cause() *casework.Cause {
	return &casework.Cause{
		MessageID: "M4:QXA2613K0PZ:65F2C3AD", Archive: 41, Rule: "env.fan", Level: callhome.LevelCritical, Title: "Fan 2 failed", Component: "Fan 2",
		Diagnosis: "The fan in tray 2 turns at 0 rpm.\nWithout it the card above it overheats within an hour.", Recommendation: "Replace the fan tray while the device runs.",
		Evidence: []casework.Evidence{{Archive: 41, Attachment: "show environment", Quote: "Fan 2   0 rpm   FAIL <b>&"}},
	}
}

func happening(kind casework.EventKind, from, to, text string) *casework.Happening {
	c := cause()
	return &casework.Happening{
		Cause: c,
		Case: casework.Case{
			ID: 99, Number: "SR-000123", Company: 3, Subject: *subject(), Rule: c.Rule, Title: c.Title, Diagnosis: c.Diagnosis, Recommendation: c.Recommendation,
			Level: c.Level, Priority: 2, State: casework.StateNew, Team: "support", Code: "K7M2QX", Repeats: 9,
		},
		Event: casework.Event{Seq: 4, At: when, Kind: kind, From: from, To: to, Text: text, By: casework.By{Who: "ana", Via: casework.ViaPerson}},
	}
}

// samples holds one notice of every kind.
func samples(t *testing.T) []Notice {
	ofCase := func(kind casework.EventKind, from, to, text string) Notice {
		n, ok := OfCase(happening(kind, from, to, text))
		if !ok {
			t.Errorf("%s is not told", kind)
		}
		return n
	}
	return []Notice{
		RegistrationRequired(subject(), "https://portal.support.example/confirm/abc", "F4K-29Q", when.AddDate(0, 0, 30), when),
		RegistrationComplete(subject(), "rita", when),
		RegistrationExpiring(subject(), when.AddDate(0, 1, 0), when),
		ofCase(casework.EventOpened, "", "new", ""),
		ofCase(casework.EventEscalated, "major", "critical", "it has become worse"),
		ofCase(casework.EventResolved, "open", "resolved", "fan replaced"),
		ofCase(casework.EventPaged, "", "ana", "called ana"),
		Recommended(subject(), cause(), when),
		InventoryChanged(subject(), 12, []UnitChange{{"replaced", "slot 2", "PSU-A (S1)", "PSU-A (S2)"}, {"software", "", "17.9.4", "17.12.4"}, {"removed", "slot 5", "LC-48 (S9)", ""}}, when),
		ConfigurationChanged(subject(), 8, 1, 1, "-ip route 0.0.0.0 0.0.0.0 192.0.2.1\n+ip route 0.0.0.0 0.0.0.0 192.0.2.2\n", when),
		CommandOutput(subject(), "M5:QXA2613K0PZ:65F2C3AE", "SR-000123", []Output{{"show version", "QX Software, 17.12.4\n"}}, when),
		RequestResult(subject(), "M6:QXA2613K0PZ:65F2C3AF", "config-sanity", []Section{{"Telnet is on", "Line vty 0 takes telnet.", false}}, when),
		ExceptionReport(3, when.AddDate(0, 0, -1), 2, []Exception{{when, "edge-rtr-8", "QXA1", "not_registered", ""}, {when, "edge-rtr-9", "", "clock_skew", "2 h behind"}}, when),
		EndOfLife(3, "QX9006", "EOL-1204", []Milestone{{"End of sale", when.AddDate(1, 0, 0)}, {"Last day of support", when.AddDate(5, 0, 0)}}, 14, "QX9106", when),
		AdvisoryAffects(subject(), "security advisory", "ADV-2026-11", "2", "Web server takes any password", "critical", callhome.LevelCritical, []string{"version 17.12.4 is within 17.12.1 to 17.12.5", "configuration line: ip http server"}, "Update to 17.12.6, or turn the web server off.", when),
		func() Notice {
			c := cause()
			c.Title, c.Diagnosis, c.Recommendation = "Telnet is on", "Passwords travel in the clear.", "Use SSH."
			return ConfigurationFound(subject(), c, when)
		}(),
		ContractExpiring(3, "K-7781-22", when.AddDate(0, 1, 0), 214, when),
		DeviceSilent(subject(), when.AddDate(0, 0, -20), when.AddDate(0, 0, -6), when),
		TestSuccess(subject(), "M7:QXA2613K0PZ:65F2C3B0", when.Add(-3*time.Second), when),
	}
}

type shelf map[int64][]callhome.Attachment

func (s shelf) Attachments(_ context.Context, id int64) ([]callhome.Attachment, error) {
	if list, ok := s[id]; ok {
		return list, nil
	}
	return nil, callhome.Errorf(callhome.KindNotFound, "gone")
}

func postman() *Postman {
	cfg := DefaultConfig()
	cfg.From, cfg.Portal = "Callhome <callhome@support.example>", "https://portal.support.example/"
	p := NewPostman(cfg)
	p.Diagnostics = shelf{41: {{Name: "show environment", Text: "Fan 2 0 rpm\nkey sesame\n"}, {Name: "show version", Text: "QX Software"}}}
	p.Mask = func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "sesame", "<removed>")) }
	return p
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", name, diff)
	}
}

func TestEveryKindReadsAsWritten(t *testing.T) {
	p := postman()
	var seen []Kind
	for _, n := range samples(t) {
		seen = append(seen, n.Kind)
		n.bounded()
		text, html, err := render(p.view(&n, nil))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, string(n.Kind)+".txt", append([]byte("Subject: "+n.Subject+"\n\n"), text...))
		golden(t, string(n.Kind)+".html", html)
		if n.Key == "" || strings.Contains(string(html), "<b>&") || strings.Contains(string(html), "src=") {
			t.Errorf("%s has no key, takes a device's words for HTML, or loads something", n.Kind)
		}
		if n.Kind == KindPage {
			golden(t, "page.short", []byte(n.Content.Short+"\n"))
		}
	}
	for _, k := range Kinds() {
		if !slices.Contains(seen, k) {
			t.Errorf("no sample of %s", k)
		}
	}
}

func TestDigestReadsAsWritten(t *testing.T) {
	d := &Digest{ID: 5, Address: "ana@ops.example", DueAt: when, Total: 40}
	for _, n := range samples(t) {
		n.bounded()
		d.Mails = append(d.Mails, Mail{Notice: n})
	}
	text, html, err := renderDigest(postman().digestView(d))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "digest.txt", text)
	golden(t, "digest.html", html)
}

func TestACaseCarriesItsDiagnostics(t *testing.T) {
	n, _ := OfCase(happening(casework.EventOpened, "", "new", ""))
	n.bounded()
	p := postman()
	env, err := p.write(context.Background(), &Mail{ID: 2, Notice: n, Address: "ana@ops.example", Name: "Ana", AddedAt: when})
	if err != nil {
		t.Fatal(err)
	}
	body := string(env.Body)
	for _, want := range []string{"Subject: [SR-000123] CRITICAL edge-rtr-7: Fan 2 failed\r\n", `filename=show-environment.txt`, "<removed>", "multipart/alternative", "References: <SR-000123.", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(body, want) {
			t.Errorf("the mail lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "sesame") || strings.Contains(body, "K7M2QX") {
		t.Error("the mail carries a secret, or the code of a page")
	}
	p.cfg.MaxAttachments = 20
	env, err = p.write(context.Background(), &Mail{ID: 2, Notice: n, Address: "ana@ops.example", AddedAt: when})
	if err != nil || !strings.Contains(string(env.Body), "1 further attachments are too large") || strings.Contains(string(env.Body), "filename=show-environment.txt") {
		t.Errorf("beyond the limit: %v\n%s", err, env.Body)
	}
	p.Mask = nil
	if env, err = p.write(context.Background(), &Mail{Notice: n, Address: "ana@ops.example", AddedAt: when}); err != nil || strings.Contains(string(env.Body), "filename=") {
		t.Errorf("without a mask something is attached, %v", err)
	}
	n.Attach[0].Archive = 77
	p = postman()
	if env, err = p.write(context.Background(), &Mail{Notice: n, Address: "ana@ops.example", AddedAt: when}); err != nil || !strings.Contains(string(env.Body), "no longer in the archive") {
		t.Errorf("a purged message: %v", err)
	}
}

func TestShort(t *testing.T) {
	for _, title := range []string{"Fan 2 failed", strings.Repeat("äöü ", 100), ""} {
		for _, host := range []string{"edge-rtr-7", strings.Repeat("h", 200), ""} {
			got := Short("SR-000123", callhome.LevelCatastrophic, host, title, "K7M2QX")
			if n := utf8.RuneCountInString(got); n > 160 || !strings.HasSuffix(got, " ACK K7M2QX") || !strings.HasPrefix(got, "SR-000123 catastrophic ") || strings.Contains(got, "\n") {
				t.Errorf("%d characters: %q", n, got)
			}
		}
	}
}

func TestHostileWordsStayWords(t *testing.T) {
	sub := subject()
	sub.Host = "x\r\nBcc: all@example\x1b[31m\u202e<script>alert(1)</script>"
	n := DeviceSilent(sub, time.Time{}, when, when)
	n.bounded()
	env, err := postman().write(context.Background(), &Mail{Notice: n, Address: "ana@ops.example", Name: "A\r\nBcc: b@example", AddedAt: when})
	if err != nil {
		t.Fatal(err)
	}
	body := string(env.Body)
	header, _, _ := strings.Cut(body, "\r\n\r\n")
	if strings.Contains(header, "\r\nBcc:") || strings.Contains(body, "\x1b") || strings.Contains(body, "\u202e") {
		t.Errorf("a header or a control came through:\n%s", body)
	}
	_, html, _ := render(postman().view(&n, nil))
	if strings.Contains(string(html), "<script>") {
		t.Error("a device's words became HTML")
	}
}

func TestQuietThingsAreNotTold(t *testing.T) {
	h := happening(casework.EventOpened, "", "new", "")
	h.Quiet = true
	if _, ok := OfCase(h); ok {
		t.Error("a quiet happening is told")
	}
	for _, kind := range []casework.EventKind{casework.EventCleared, casework.EventRaised, casework.EventLinked} {
		if _, ok := OfCase(happening(kind, "", "", "")); ok {
			t.Errorf("%s is told", kind)
		}
	}
}
