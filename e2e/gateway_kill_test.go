package e2e

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// gatewayConfig is the configuration of a gateway in front of $UPSTREAM that does not wait long.
const gatewayConfig = `
data_dir: ./data
listen: {devices: ["$DEVICES"]}
metrics: {listen: "$METRICS"}
registration: none
upstream: [{url: "$UPSTREAM/its/service/oddce/services/DDCEService"}]
http_server: {retry_after: 1s}
retry: {backoff_min: 100ms, backoff_max: 1s, probe_max: 1s}
`

// TestE2EGatewayServerKill: devices post to a gateway, which forwards to a back end; either is killed at random moments, now
// and then both. Every message that the gateway answered is in the back end's archive once, and worked once.
func TestE2EGatewayServerKill(t *testing.T) {
	needE2E(t)
	dir := t.TempDir()
	database := filepath.Join(dir, "data", "server.db")
	if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
		t.Fatal(err)
	}
	f := newFleet(t)
	f.pause = 10 * time.Millisecond
	f.register(database)
	s := newDaemon(t, "server", dir, serverConfig)
	s.start()
	g := newDaemon(t, "gateway", t.TempDir(), replaced(gatewayConfig, "$UPSTREAM", s.URL))
	g.start()
	urls := []string{g.URL}
	for round := range killCount() {
		victims := []*daemon{[]*daemon{s, g}[rand.IntN(2)]}
		if round%5 == 4 {
			victims = []*daemon{s, g}
		}
		loaded(f, urls, func() {
			time.Sleep(killMoment())
			for _, d := range victims {
				d.kill()
			}
			for _, d := range victims {
				d.begin()
			}
			for _, d := range victims {
				d.waitReady()
			}
		})
	}
	loaded(f, urls, func() { time.Sleep(killAfterMax) })
	f.finish(urls...)
	l := openLedger(t, database)
	l.await(len(f.all()))
	g.stop()
	s.stop()
	l.settle(f)
	t.Logf("%d rounds of kills, %d messages answered by the gateway, %d posts failed", killCount(), len(f.all()), f.failed.Load())
}
