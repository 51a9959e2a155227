package discover_test

import (
	"testing"

	"callhome/agent/discover"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	for dir, want := range map[string]discover.Host{
		"appliance": {
			Hostname: "edge-host-1", Brand: "Acme Networks", Model: "AX-200", Series: "AX", Serial: "AXS2607K001", PartNo: "68-9001-02",
			HWVersion: "1.1", SWVersion: "4.2", Description: "Acme OS 4.2, kernel 6.1.0-13",
		},
		// Only fillers in DMI: the machine ID stands in for the serial number.
		"bare": {
			Hostname: "vm-3", Brand: "Example Linux", Model: "example", Series: "Example Linux", Serial: "0f0e0d0c0b0a09080706050403020100",
			SWVersion: "6.1.0-13", Description: "Example Linux, kernel 6.1.0-13",
		},
		"nothing": {},
	} {
		if diff := cmp.Diff(want, discover.Read("testdata/"+dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dir, diff)
		}
	}
}
