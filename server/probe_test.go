package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"callhome/health"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/registry"
)

func TestTheProbeGoesTheWholeWay(t *testing.T) {
	var w *world
	failing := errors.New("no route to host")
	tries := 0
	well, made := health.New(), make(chan struct{})
	w = newWorldWith(t, func(o *server.Options) {
		o.Config.Probe.Every, o.Config.Probe.Limit, o.Health = 20*time.Millisecond, 10*time.Second, well
		o.Post = func(_ context.Context, _ string, body []byte) error {
			if tries++; tries == 1 {
				return failing
			}
			<-made
			_, err := w.accept(body)
			return err
		}
	})
	close(made)
	for deadline := time.Now().Add(20 * time.Second); len(w.records(archive.Filter{})) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no probe has arrived")
		}
	}
	r := w.records(archive.Filter{})[0]
	if r.Status != archive.StatusAnonymous || r.Device != 0 || len(r.Reasons) != 1 {
		t.Errorf("the probe's record: %+v", r)
	}
	devices, err := w.store.Read().Registry().ListDevices(context.Background(), account.Everywhere(), registry.DeviceFilter{}, account.Page{})
	if err != nil || len(devices) != 0 {
		t.Errorf("the probe made devices: %+v, %v", devices, err)
	}
	for deadline := time.Now().Add(20 * time.Second); !well.Well(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after probes that went through: %+v", well.Snapshot())
		}
	}
}
