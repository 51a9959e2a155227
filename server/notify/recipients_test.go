package notify

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"callhome/server/casework"
)

func TestRecipients(t *testing.T) {
	ana := casework.Person{Name: "ana", Email: "ana@ops.example", Pager: "ana@pager.example"}
	bob := casework.Person{Name: "bob", Email: "bob@ops.example"}
	cfg := casework.Config{People: []casework.Person{ana, bob}, Teams: []casework.Team{{Name: "support", Members: []string{"ana", "bob", "zoe"}}, {Name: "network", Email: "net@ops.example", Members: []string{"ana"}}}}
	for name, c := range map[string]struct{ got, want []Recipient }{
		"called":       {Called([]casework.Person{ana, bob}), []Recipient{{Name: "ana", Address: "ana@pager.example", Pager: true}, {Name: "bob", Address: "bob@ops.example"}}},
		"members":      {TeamOf(&cfg, "support"), []Recipient{{Name: "ana", Address: "ana@ops.example"}, {Name: "bob", Address: "bob@ops.example"}}},
		"team address": {TeamOf(&cfg, "network"), []Recipient{{Name: "network", Address: "net@ops.example"}}},
		"no such team": {TeamOf(&cfg, "nobody"), nil},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
