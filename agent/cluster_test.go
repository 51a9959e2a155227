package agent

import (
	"testing"

	"callhome"
)

func TestClusterMembers(t *testing.T) {
	const info = `Cluster lab: On
    Interface mode: spanned
    This is "unit-1" in state MASTER
        ID        : 0
Other members in the cluster:
    Unit "unit-2" in state SLAVE
    Unit "unit-3" in state DISABLED
`
	got := clusterMembers([]callhome.Attachment{{Name: "show cluster history", Text: info}, {Name: "show cluster info", Text: info}})
	if len(got) != 1 || got[0].Value != "2" {
		t.Errorf("got %v, want 2 active members", got)
	}
	if got := clusterMembers(nil); got != nil {
		t.Errorf("no output says nothing: got %v", got)
	}
}
