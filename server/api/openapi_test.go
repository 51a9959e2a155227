package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"callhome/server/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds what a test made to what a file says.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is made now; look at the difference with go test ./server/api -update", file)
	}
}

func TestDescription(t *testing.T) {
	a := api.New(api.Options{Backend: backend{Store: openSQLite(t)}})
	text, err := a.Description()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Paths["/api/v1/messages"] == nil {
		t.Errorf("the description begins %.80s", text)
	}
	golden(t, "openapi.json", append(text, '\n'))
}
