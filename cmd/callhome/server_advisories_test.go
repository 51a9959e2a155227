package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"callhome/server/account"
)

func TestAdminAdvisories(t *testing.T) {
	b := newBackEnd(t)
	b.conduct()
	folder, err := filepath.Abs("../../server/advisory/testdata")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "qx-sa-2026-0314.json")
	b.want(b.run(0, "", "advisory", "import", file, filepath.Join(folder, "end-of-life.json")), "new", "0 faults", "0 devices newly affected")
	b.want(b.run(0, "", "advisory", "import", file), "0 new", "1 unchanged")
	var rows []struct {
		Ident, Sort string
	}
	if err := json.Unmarshal([]byte(b.run(0, "", "--json", "advisory", "list", "--sort", "security-advisory")), &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	b.want(b.run(0, "", "advisory", "show", rows[0].Ident), rows[0].Ident, "Edition:")
	b.want(b.run(1, "", "advisory", "show", "none"), `no notice "none"`)
	b.run(2, "", "advisory", "withdraw", rows[0].Ident)
	b.want(b.run(0, "", "advisory", "withdraw", rows[0].Ident, "--reason", "it was about other gear"), "is withdrawn")
	b.want(b.run(0, "", "advisory", "show", rows[0].Ident), "withdrawn")
	b.want(b.run(1, "", "advisory", "match", "none"), `no device "none"`)
	audit, err := b.store.Read().Account().ListAudit(context.Background(), account.Everywhere(), account.AuditFilter{Action: "advisory"}, account.Page{})
	if err != nil || len(audit) < 3 {
		t.Errorf("audit: %+v, %v", audit, err)
	}
}
