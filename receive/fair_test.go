package receive

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"callhome"
)

func TestFair(t *testing.T) {
	clock := time.Now()
	took := 0
	f := NewFair(FairConfig{Rate: 60, Burst: 3, MaxSources: 4}, SinkFunc(func(context.Context, *Submission) (Receipt, error) {
		took++
		return Receipt{}, nil
	}), func() time.Time { return clock })
	post := func(from string, change func(*Submission)) error {
		s := &Submission{Transport: callhome.TransportHTTP, Peer: netip.MustParseAddrPort(from)}
		if change != nil {
			change(s)
		}
		_, err := f.Accept(t.Context(), s)
		return err
	}
	for i := range 5 {
		err := post("192.0.2.1:1", nil)
		if (err != nil) != (i >= 3) {
			t.Errorf("message %d: %v", i, err)
		}
		if ref := RefusalOf(err); err != nil && (ref.Reason != RefuseBusy || ref.RetryAfter != time.Second) {
			t.Errorf("refused by %+v", ref)
		}
	}
	if err := post("192.0.2.2:1", nil); err != nil {
		t.Errorf("another source pays for the first: %v", err)
	}
	for i := range 6 { // one host's many addresses
		if err := post(fmt.Sprintf("[2001:db8::%d]:1", i+1), nil); (err != nil) != (i >= 3) {
			t.Errorf("IPv6 %d: %v", i, err)
		}
	}
	for name, change := range map[string]func(*Submission){
		"certificate": func(s *Submission) { s.TLS = &TLSIdentity{Fingerprint: "AA"} },
		"own host":    func(s *Submission) { s.Peer = netip.MustParseAddrPort("127.0.0.1:1") },
		"mail":        func(s *Submission) { s.Transport = callhome.TransportEmail },
	} {
		if err := post("192.0.2.1:1", change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	clock = clock.Add(2 * time.Second)
	for i := range 3 {
		if err := post("192.0.2.1:1", nil); (err != nil) != (i >= 2) {
			t.Errorf("two seconds later %d: %v", i, err)
		}
	}
	for i := range 100 { // memory is bounded, and what is not remembered shares
		_ = post(fmt.Sprintf("198.51.100.%d:1", i), nil)
		if len(f.buckets) > 4 {
			t.Fatalf("%d sources remembered", len(f.buckets))
		}
	}
	if f.Limited() == 0 {
		t.Error("nothing was counted")
	}
	f.Set(FairConfig{MaxSources: 1})
	before := took
	for range 50 {
		if err := post("192.0.2.1:1", nil); err != nil {
			t.Fatal(err)
		}
	}
	if took != before+50 {
		t.Error("limited without a limit")
	}
	if err := (FairConfig{Rate: -1, MaxSources: 0}).Validate(); len(callhomeFaults(err)) != 3 {
		t.Errorf("faults: %v", err)
	}
	if err := DefaultFairConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func callhomeFaults(err error) []error {
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	return j.Unwrap()
}

func TestIsLicensing(t *testing.T) {
	for body, want := range map[string]bool{
		`<e:Envelope><b:Type>http://www.cisco.com/2005/05/callhome/smart_license</b:Type>`:                                        true,
		`<Envelope><aml-block:Type>x</aml-block:Type><ch:Event><ch:Type>Smart-Licensing</ch:Type>`:                                true,
		`<x><ch:Type>smartLicense</ch:Type>`:                                                                                      true,
		` {"signature":"x","request":{"request_type":"REGISTRATION"}}`:                                                            true,
		`<x><ch:Type>license</ch:Type><ch:SubType>LICENSE_VIOLATION</ch:SubType>`:                                                 false,
		`<x><ch:MessageDescription>%SMART_LIC-3-X: smart licensing failed</ch:MessageDescription><ch:Type>syslog</ch:Type>`:       false,
		`<x><ch:MessageDescription><![CDATA[<ch:Type>smart license</ch:Type>]]></ch:MessageDescription><ch:Type>syslog</ch:Type>`: false,
		`<x><!-- <ch:Type>smart license</ch:Type> -->`:                                                                            false,
		`<x><ch:Type>syslog`: false,
		`<x><![CDATA[ `:      false,
		`{"hello":"world"}`:  false,
		``:                   false,
	} {
		if got := IsLicensing([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}
