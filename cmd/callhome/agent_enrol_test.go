package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/config"
	"callhome/receive/httprecv"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/registry"
)

// waitFor gives work that has no end to wait for some time.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// TestAnAgentJoins: a token becomes a certificate, heartbeats are seen, messages show the certificate, and a revoked one
// is refused at TLS.
func TestAnAgentJoins(t *testing.T) {
	dir := t.TempDir()
	cfg, err := config.ParseServer(filepath.Join(dir, "server.yaml"), []byte(`{data_dir: server, listen: {devices: ["https://127.0.0.1:0"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log := slog.New(slog.DiscardHandler)
	b, err := newBackend(ctx, cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	ended := make(chan error, 2)
	go func() { ended <- b.run(ctx) }()
	admin := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(append([]string{"--socket", cfg.Control, "admin"}, args...), strings.NewReader(""), &out, &errs); code != exitOK {
			t.Fatalf("%v: exit code %d: %s%s", args, code, out.String(), errs.String())
		}
		return out.String()
	}
	waitFor(t, "control socket", func() bool { _, err := os.Stat(cfg.Control); return err == nil })
	admin("company", "add", "Acme")
	token := filepath.Join(dir, "enrol.token")
	if err := os.WriteFile(token, []byte(admin("enrol", "token", "agent", "--company", "Acme")), 0o600); err != nil {
		t.Fatal(err)
	}
	at := b.posts.URLs()[0]
	file := filepath.Join(dir, "agent.yaml")
	text := fmt.Sprintf("data_dir: agent\ndevice: {hostname: edge-oslo, personality: ios, model: QX9006, serial: QXA1}\ncall_home: {enabled: true, contact: {email: noc@acme.example}}\n"+
		"trust_points: [{name: backend, ca_file: %s}]\nbackend: {url: %q, token_file: enrol.token, name: edge-oslo, trust_points: [backend]}\n", b.path(tlsDir, "ca.crt"), at)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	agentCfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := construct(ctx, agentCfg, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.digest = digestOf(file)
	joined := make(chan struct{})
	go func() { defer close(joined); _ = d.runEnrolment(ctx) }()
	defer func() { stop(); <-joined; <-ended }()

	var e registry.Enrolment
	waitFor(t, "heartbeat", func() bool {
		list, err := b.store.Read().Registry().ListEnrolments(ctx, account.Everywhere(), registry.EnrolmentFilter{}, account.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 {
			e = list[0]
		}
		return !e.Beat.At.IsZero()
	})
	if e.Name != "edge-oslo" || e.Beat.Version != version || e.Beat.ConfigDigest != digestOf(file) || e.Beat.Devices != 1 || e.Claims.Serial != "QXA1" {
		t.Errorf("the back end sees %+v", e)
	}
	if got := admin("enrol", "list"); !strings.Contains(got, "edge-oslo") {
		t.Errorf("enrol list: %s", got)
	}
	d.renewRoad()
	post := func(n int) error {
		level := callhome.LevelNotification
		m := callhome.Message{
			EventTime: callhome.At(time.Now()), Severity: &level,
			MessageID: callhome.MessageID(fmt.Sprintf("M%d:QXA1:69B528DD", n)), DeviceID: "QX9006@C@QXA1", Group: callhome.GroupTest, SystemName: "edge-oslo", Model: "QX9006", Serial: "QXA1",
			Type: "test", Description: "test",
		}
		v, _ := aml.VariantFor("ios")
		body, err := aml.Append(nil, &m, v)
		if err != nil {
			t.Fatal(err)
		}
		return d.httpRoad.Send(ctx, &callhome.Envelope{
			MessageID: m.MessageID, Format: callhome.FormatXML, ContentType: "text/xml", Body: body,
			Destination: callhome.Destination{Transport: callhome.TransportHTTP, Address: at + httprecv.PathDDCE},
		})
	}
	if err := post(1); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "message", func() bool {
		got, err := b.store.Read().Archive().List(ctx, archive.Filter{Reach: account.Everywhere()})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 1 && got[0].Origin.Certificate == "" {
			t.Fatalf("the message showed no certificate: %+v", got[0].Origin)
		}
		return len(got) == 1
	})
	admin("enrol", "revoke", fmt.Sprint(e.ID), "--reason", "lost")
	d.renewRoad()
	if err := post(2); err == nil {
		t.Error("a message was taken over a revoked certificate")
	}
}
